"""The network that a request names: the compact one, or an uploaded file read with limits."""

from __future__ import annotations

from dataclasses import dataclass

from statera.errors import InputError, StateraError
from statera.library import find_cytokine
from statera.mechanism.shipped_marks import load_marks
from statera.pathway.jak_inhibition import JakMarks, read_jak_marks
from statera.pathway.jak_stat_model import jak_stat_marks, jak_stat_network
from statera.pathway.jak_stat_rates import load_rates
from statera.pathway.network import Network
from statera.pathway.sbml_read import read_sbml
from statera.web.requests.pathway import NetworkRequest
from statera.web.tasks.concerning import concerning
from statera.web.work import Work

__all__ = ["OUTPUT_NAMES", "Source", "read_source"]

OUTPUT_NAMES = {
    "total_pSTAT": "phosphorylated STAT",
    "active": "active receptor",
    "STAT": "STAT, not phosphorylated",
    "pSTAT": "phosphorylated monomer",
    "dimer": "dimer in the cytoplasm",
    "ndimer": "dimer in the nucleus",
    "nSTAT": "STAT in the nucleus",
    "mRNA": "SOCS mRNA",
    "SOCS": "SOCS",
    "target": "target mRNA",
}
"""What the names of the compact network stand for."""

_MOST_BYTES = 5_000_000
_MOST_MARKS = 100_000
_MOST_STATES = 300
_MOST_REACTIONS = 1500


@dataclass(frozen=True)
class Source:
    """A network and what its kinases catalyse.

    Attributes
    ----------
    marks
        None where none were given.
    unit
        Of the stimulus of the compact network; empty for a file.
    notes
        Where the constants come from.
    file, marks_file
        Names of the uploads; empty where there is none.
    """

    network: Network
    marks: JakMarks | None
    unit: str = ""
    notes: tuple[str, ...] = ()
    file: str = ""
    marks_file: str = ""

    @property
    def is_compact(self) -> bool:
        """True for the network that comes with the program."""
        return not self.file


def read_source(request: NetworkRequest, stimulus: float, work: Work) -> Source:
    """Read what a request names.

    Parameters
    ----------
    request
        Its uploads are read with limits on their size.
    stimulus
        Concentration of the cytokine; of the compact network only.
    work
        Gives the uploads.

    Raises
    ------
    InputError
        If a file cannot be used; its name is the place.
    """
    if request.sbml is None:
        return _compact(request, stimulus)
    upload = work.upload(request.sbml)
    _check_size(upload.size, _MOST_BYTES, upload.name)
    try:
        network = read_sbml(upload.path)
    except StateraError as error:
        raise _renamed(error, str(upload.path), upload.name) from error
    if len(network.states) > _MOST_STATES or len(network.reactions) > _MOST_REACTIONS:
        raise InputError(
            f"the network has {len(network.states)} states and {len(network.reactions)} reactions; "
            f"here at most {_MOST_STATES} and {_MOST_REACTIONS} are run",
            where=upload.name,
            hint="Use 'statera pathway simulate' for larger networks.",
        )
    marks, name = _marks(request, work)
    return Source(network, marks, file=upload.name, marks_file=name)


def _compact(request: NetworkRequest, stimulus: float) -> Source:
    with concerning("cytokine"):
        rates = load_rates(request.cytokine)
    network = jak_stat_network(
        rates.rates, cytokine=request.cytokine, stimulus=stimulus / rates.half_stimulus
    )
    note = f"constants of the pathway are {rates.status}: {rates.source}"
    kinases = find_cytokine(request.cytokine).jaks
    return Source(network, jak_stat_marks(kinases), rates.unit, (note,))


def _marks(request: NetworkRequest, work: Work) -> tuple[JakMarks | None, str]:
    if request.marks_file is not None:
        upload = work.upload(request.marks_file)
        _check_size(upload.size, _MOST_MARKS, upload.name)
        try:
            return read_jak_marks(upload.path), upload.name
        except StateraError as error:
            raise _renamed(error, str(upload.path), upload.name) from error
    if request.marks is not None:
        with concerning("marks"):
            return load_marks(request.marks), request.marks
    return None, ""


def _check_size(size: int, most: int, name: str) -> None:
    if size > most:
        raise InputError(
            f"the file has {size / 1e6:.1f} MB; at most {most / 1e6:g} MB are read",
            where=name,
            hint="Use the command line for larger files.",
        )


def _renamed(error: StateraError, path: str, name: str) -> InputError:
    """Return the error with the file called as the user calls it: no path of the server shows."""

    def plain(text: str) -> str:
        return text.replace(path, name)

    where = name if error.where is None else plain(str(error.where))
    return InputError(plain(error.what), where=where, hint=plain(error.hint))
