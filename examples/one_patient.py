"""From the doses, covariates and samples of one patient to a page with advice.

Run it in any folder: it writes advice.html there. The same from the command line:

    statera forecast visit.toml --out advice.html
"""

from pathlib import Path

from statera.patient_report import patient_report
from statera.report import render_html
from statera.tdm.forecast import forecast
from statera.tdm.read_request import read_request

request = read_request(Path(__file__).parent / "visit.toml")
found = forecast(request)

assert found.advice is not None
print(found.advice.sentence)
for candidate in found.advice.candidates[:3]:
    tablets = candidate.candidate
    print(f"{tablets.amount:g} mg every {tablets.interval:g} h: {candidate.probability:.2f}")
for remark in found.remarks:
    print(f"note: {remark}")

page = patient_report(found.to_dict(), found.manifest)
Path("advice.html").write_text(render_html(page), encoding="utf-8")
