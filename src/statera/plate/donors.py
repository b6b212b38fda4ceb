from statera.plate.result import CurveResult
def join_donors(curves, fit):
    return (), ()
