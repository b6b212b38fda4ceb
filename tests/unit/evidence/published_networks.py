"""Small networks as their papers print them, and what netmeta 3.7.0 (R 4.6.0) prints of them.

Counts: Hasselblad, Med Decis Making 1998;18:37 (smoking cessation, 24 studies); Woods, Hawkins and
Scott, BMC Med Res Methodol 2010;10:54, table 1 (deaths in COPD); Dong and others, Thorax 2013;68:48
(deaths in COPD). Contrasts: Dias, Sutton, Ades and Welton, Med Decis
Making 2013;33:607 (dietary fat: log rate ratios; Parkinson's disease: off-time); Ruecker and
Schwarzer, Stat Med 2014;33:4353 (depression), with what Davies and others, Stat Med 2022;41:2091
(doi 10.1002/sim.9346) print of its evidence.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "DEPRESSION",
    "DEPRESSION_FLOW",
    "DEPRESSION_SHARES",
    "DONG",
    "DONG_FIRST_TEN",
    "NETWORKS",
    "SMOKING",
    "WOODS",
    "Printed",
    "arms_of",
]

Arms = tuple[list[str], list[str], list[float], list[float]]


def arms_of(text: str) -> Arms:
    """Read ``study: treatment events/patients, ...; ...``."""
    studies, names, events, sizes = [], [], [], []
    for line in text.split(";"):
        study, _, arms = line.partition(":")
        for arm in arms.split(","):
            name, _, counts = arm.strip().rpartition(" ")
            studies.append(study.strip())
            names.append(name)
            events.append(float(counts.split("/")[0]))
            sizes.append(float(counts.split("/")[1]))
    return studies, names, events, sizes


#: A no contact, B self-help, C individual counselling, D group counselling.
SMOKING = arms_of("""
1: A 75/731, C 363/714; 2: A 9/140, C 23/140, D 10/138; 3: A 2/106, C 9/205;
4: A 58/549, C 237/1561;
5: A 0/33, C 9/48; 6: B 20/49, C 16/43; 7: A 3/100, C 31/98; 8: A 1/31, C 26/95;
9: B 11/78, C 12/85, D 29/170; 10: A 6/39, C 17/77; 11: A 79/702, B 77/694; 12: A 18/671, B 21/535;
13: A 64/642, C 107/761; 14: C 12/76, D 20/74; 15: C 9/55, D 3/26; 16: B 7/66, D 32/127;
17: A 5/62, C 8/90; 18: A 20/234, C 34/237; 19: A 0/20, D 9/20; 20: A 8/116, B 19/149;
21: A 95/1107, C 143/1031; 22: A 15/187, C 36/504; 23: A 78/584, C 73/675; 24: A 69/1177, C 54/888
""")
WOODS = arms_of("""
Boyd: Salmeterol 1/229, Placebo 1/227;
Calverly: Fluticasone 4/374, Salmeterol 3/372, SFC 2/358, Placebo 7/361;
Celli: Salmeterol 1/554, Placebo 2/270
""")
DONG = arms_of("""
1: TIO-SMI 52/1989, Placebo 38/2002; 2: TIO-SMI 35/1337, Placebo 9/653;
3: TIO-HH 381/2986, Placebo 411/3006;
4: TIO-HH 3/266, Placebo 6/288; 5: TIO-HH 0/117, Placebo 0/117;
6: TIO-HH 15/608, Placebo 4/305; 7: TIO-HH 1/69, Placebo 2/73; 8: TIO-HH 7/500, Placebo 8/510;
9: TIO-HH 1/55, Placebo 0/53; 10: TIO-HH 22/914, Placebo 19/915; 11: TIO-HH 7/550, Placebo 7/317;
12: TIO-HH 64/3707, LABA 78/3669; 13: TIO-HH 1/402, LABA 6/405, Placebo 5/400;
14: TIO-HH 38/665, LABA-ICS 21/658; 15: LABA 6/316, Placebo 5/318; 16: LABA 3/440, Placebo 0/217;
17: LABA 1/201, Placebo 2/207; 18: ICS 5/127, Placebo 5/127; 19: ICS 3/128, Placebo 0/132;
20: ICS 4/123, Placebo 0/121; 21: ICS 32/376, Placebo 36/375; 22: ICS 8/634, Placebo 10/643;
23: ICS 4/145, Placebo 5/145; 24: ICS 0/142, Placebo 2/139; 25: ICS 0/434, Placebo 0/206;
26: LABA-ICS 6/479, LABA 0/239; 27: LABA-ICS 4/394, LABA 6/403; 28: LABA-ICS 6/394, LABA 3/388;
29: LABA-ICS 7/507, LABA 9/487; 30: LABA-ICS 2/189, LABA 4/184; 31: LABA-ICS 5/92, LABA 7/94;
32: LABA-ICS 7/988, LABA 4/495, Placebo 4/481; 33: LABA-ICS 1/131, LABA 0/131, Placebo 0/125;
34: LABA-ICS 2/297, Placebo 0/148; 35: LABA-ICS 7/845, LABA 1/284, ICS 2/275, Placebo 1/300;
36: LABA-ICS 193/1546, LABA 205/1542, ICS 246/1552, Placebo 231/1544;
37: LABA-ICS 0/178, LABA 0/177, ICS 0/183, Placebo 0/185;
38: LABA-ICS 2/358, LABA 3/372, ICS 3/374, Placebo 7/361;
39: LABA-ICS 5/254, LABA 13/255, ICS 6/257, Placebo 5/256;
40: LABA-ICS 6/208, LABA 6/201, ICS 5/198, Placebo 9/205;
41: LABA-ICS 0/165, LABA 0/160, ICS 0/168, Placebo 3/181
""")
DONG_FIRST_TEN: Arms = (DONG[0][:20], DONG[1][:20], DONG[2][:20], DONG[3][:20])
#: Study, first, second, effect of first against second, standard error.
_FAT = """
DART 1 2 0.022022121076246463 0.13363594775034485
London-corn-olive 1 2 -1.663632562822102 1.0954451150103321
London-corn-olive 1 3 -1.2360832792967125 1.1547005383792515
London-corn-olive 2 3 0.42754928352538951 0.73029674334022143
London-low-fat 1 2 0.13122887091956473 0.30276503540974919
Minnesota 1 2 -0.058635408435442883 0.088032551840073553
MRC-soya 1 2 0.15090580338006931 0.26071507480468931
Oslo 1 2 0.31442233225467209 0.19031013824268195
STARS 1 2 1.1344102945438888 1.1547005383792515
Sydney 1 2 -0.40523687576665102 0.24770004310720528
Veterans 1 2 0.045193344581659745 0.10675600194324393
Veterans-skin 1 2 0.67701779863006151 1.2247448713915889
"""
_PARKINSON = """
1 1 3 0.31 0.6680896509274884
2 1 2 1.7 0.38264060488187723
3 1 2 2.3 0.71774603956868399
3 1 4 0.9 0.69498809129619965
3 2 4 -1.4 0.69906662068041781
4 3 4 0.35 0.44194173824159222
5 3 4 -0.55 0.5551145592695651
6 4 5 0.3 0.27427631620669729
7 4 5 0.3 0.32008724460034982
"""


#: Treatments by number: study, first, second, effect (log odds ratio), standard error.
_DEPRESSION = """
2 3 5 0.18759861 0.3730281; 2 3 9 0.46623715 0.4119633; 2 5 9 0.27863853 0.3353135
5 7 10 -0.28387979 0.4118896; 6 3 9 0.54493334 0.2744107; 12 6 9 -0.06272326 0.3934217
16 2 6 0.64313676 0.4183674; 16 2 8 0.40546511 0.4915960; 16 6 8 -0.23767165 0.4082866
24 1 6 -0.48200519 0.5222139; 24 1 11 0.91183638 0.5365602; 24 6 11 1.39384157 0.5497916
43 1 3 0.09212329 0.2964180; 43 1 9 0.50531044 0.2980581; 43 3 9 0.41318715 0.2957813
49 2 6 0.25364272 0.2459926; 49 2 11 0.56405000 0.2514334; 49 6 11 0.31040729 0.2538184
58 1 6 -0.74069972 0.5232521; 58 1 7 -0.88730320 0.5293884; 58 1 9 -0.46242000 0.5157506
58 6 7 -0.14660347 0.5417939; 58 6 9 0.27827972 0.5284764; 58 7 9 0.42488319 0.5345527
59 3 9 0.27443685 0.7433919; 78 3 9 0.92606975 0.2560730; 79 3 9 0.27369583 0.3572269
82 2 6 0.62204673 0.1904745; 82 2 8 0.06796776 0.1835001; 82 6 8 -0.55407897 0.1870873
84 5 9 0.70432048 0.3427622; 86 3 6 -0.60697876 0.3735261; 86 3 9 0.11957035 0.4136311
86 6 9 0.72654911 0.3801308; 103 3 4 -0.03929590 0.3529747; 104 3 4 -0.06545722 0.3512138
104 3 9 0.55338524 0.3603358; 104 4 9 0.61884245 0.3548525; 107 6 9 0.72391884 0.6185271
110 3 9 0.46859286 0.2043657; 115 6 9 1.01831235 0.4353041; 117 2 8 -2.89037176 0.9219544
118 6 9 0.03922071 0.3394471; 124 2 6 0.10536052 0.5797509; 125 5 9 0.35222059 0.8440972
126 3 9 0.31193905 0.3874726; 127 4 9 0.21130909 0.4379041
"""


@dataclass(frozen=True)
class Printed:
    """What netmeta prints with tau2 by DerSimonian and Laird.

    `common`, `random` and the limits are the first treatment against the others; `parts` Q and df
    in all, within and between designs; `scores` P-scores with small values desirable.
    """

    contrasts: tuple[list[str], list[str], list[str], NDArray[np.float64], NDArray[np.float64]]
    treatments: tuple[str, ...]
    tau2: float
    i2: tuple[float, float, float]
    common: tuple[float, ...]
    common_se: tuple[float, ...]
    random: tuple[float, ...]
    random_se: tuple[float, ...]
    predict: tuple[tuple[float, ...], tuple[float, ...]]
    parts: tuple[tuple[float, int], ...]
    scores: tuple[float, ...]


def _contrasts(
    text: str, width: int = 1
) -> tuple[list[str], list[str], list[str], NDArray[np.float64], NDArray[np.float64]]:
    rows = [line.split() for line in text.strip().splitlines()]
    y, se = (np.array([float(row[i]) for row in rows]) for i in (3, 4))
    first, second = ([row[i].zfill(width) for row in rows] for i in (1, 2))
    return [row[0] for row in rows], first, second, y, se**2


#: Treatments of depression, with a leading nought so that they sort by number.
DEPRESSION = _contrasts(_DEPRESSION.replace(";", "\n"), width=2)
#: Of the estimate of 1 against 3: contribution of each pair, and flow of evidence where not 0.
DEPRESSION_SHARES = {
    (1, 3): 0.352581, (1, 6): 0.0564004, (1, 7): 0.0132187, (1, 9): 0.1835, (1, 11): 0.0172443,
    (2, 6): 0.00472538, (2, 8): 0.00126594, (2, 11): 0.00599132, (3, 4): 0.0105626,
    (3, 5): 0.0070044, (3, 6): 0.0265693, (3, 9): 0.226227, (4, 9): 0.0105626, (5, 9): 0.0070044,
    (6, 7): 0.00432988, (6, 8): 0.00126594, (6, 9): 0.0514052, (6, 11): 0.011253,
    (7, 9): 0.00888886,
}  # fmt: skip
DEPRESSION_FLOW = {
    (1, 3): 0.352581, (1, 6): 0.152336, (1, 7): 0.0435244, (1, 9): 0.379793, (1, 11): 0.0717658,
    (3, 9): -0.526079, (6, 9): 0.178069, (6, 11): -0.0420158, (7, 9): 0.0273578, (7, 10): 0.0,
}  # fmt: skip
NETWORKS = {
    "dietary fat": Printed(
        _contrasts(_FAT),
        ("1", "2", "3"),
        0.0043131908115845935,
        (0.1111099951973462, 0.0, 0.51822930541816936),
        (0.0095095414360175934, 0.15820180758505326),
        (0.053872870654094678, 0.70853050500495407),
        (0.015374440569671716, 0.16108479543612361),
        (0.062251174004165404, 0.71161494665917846),
        ((-0.18932765331816509, -1.4555411315866502), (0.22007653445750852, 1.7777107224588975)),
        ((10.124987289060728, 9), (7.7864943918205318, 8), (2.3384928972401964, 1)),
        (0.4064613925664573, 0.50810581852277625, 0.58543278891076644),
    ),
    "Parkinson's disease": Printed(
        _contrasts(_PARKINSON),
        ("1", "2", "3", "4", "5"),
        0.0,
        (0.0, 0.0, 0.79203573814988637),
        (1.8115533208874199, 0.47811175798383854, 0.52399371176373943, 0.82399371176374026),
        (0.33266807169702839, 0.48663567659183316, 0.47863548975355846, 0.52198624862121235),
        (1.8115533208874199, 0.47811175798383854, 0.52399371176373943, 0.82399371176374026),
        (0.33266807169702839, 0.48663567659183316, 0.47863548975355846, 0.52198624862121235),
        (
            (0.88791868156861686, -0.87300548430417302, -0.80491145093647654, -0.62527245320118319),
            (2.7351879602062228, 1.8292290002718501, 1.8528988744639554, 2.2732598767286638),
        ),
        ((2.287890240872624, 4), (1.6088517069221426, 2), (0.67903853395048142, 2)),
        (
            0.089239339636405457, 0.98666854361246892, 0.36796590232402415, 0.3753325356845193,
            0.68079367874258223,
        ),
    ),
}  # fmt: skip
