"""Small tables of studies that papers print, for comparison with the results printed beside them.

Numbers are facts and are retyped here with their source; no file of another project is copied.
"""

from __future__ import annotations

import numpy as np

Floats = np.ndarray


def columns(text: str) -> list[Floats]:
    """Columns of numbers in a text of rows."""
    rows = [[float(cell) for cell in line.split()] for line in text.strip().splitlines()]
    return [np.array(column) for column in zip(*rows, strict=True)]


# Colditz and others, JAMA 1994;271:698: cases and others among vaccinated and controls, latitude.
BCG = """
4 119 11 128 44
6 300 29 274 55
3 228 11 209 42
62 13536 248 12619 52
33 5036 47 5761 13
180 1361 372 1079 44
8 2537 10 619 19
505 87886 499 87892 13
29 7470 45 7232 27
17 1699 65 1600 42
186 50448 141 27197 18
5 2493 3 2338 33
27 16886 29 17825 33
"""

# Viechtbauer, J Educ Behav Stat 2005;30:261, examples of pages 271 and 272: effects, variances.
SUBJECTS_10 = (
    np.array([-0.581, 0.530, 0.771, 1.031, 0.553, 0.295, 0.078, 0.573, -0.176, -0.232]),
    np.array([0.023, 0.052, 0.060, 0.115, 0.095, 0.203, 0.200, 0.211, 0.051, 0.040]),
)
SUBJECTS_18 = (
    np.array([0.100, -0.162, -0.090, -0.049, -0.046, -0.010, -0.431, -0.261, 0.134, 0.019, 0.175,
              0.056, 0.045, 0.103, 0.121, -0.482, 0.290, 0.342]),
    np.array([0.016, 0.015, 0.050, 0.050, 0.032, 0.052, 0.036, 0.024, 0.034, 0.033, 0.031, 0.034,
              0.039, 0.167, 0.134, 0.096, 0.016, 0.035]),
)  # fmt: skip

# Lipsey and Wilson, Practical Meta-Analysis, 2001, exhibit 7.1: effect, variance, randomised,
# intensity.
DELINQUENCY = """
-0.33 0.084 0 7
0.32 0.035 0 3
0.39 0.017 0 7
0.31 0.034 0 5
0.17 0.072 0 7
0.64 0.117 0 7
-0.33 0.102 1 4
0.15 0.093 1 4
-0.02 0.012 1 5
0.00 0.067 1 6
"""

# DerSimonian and Kacker, Contemp Clin Trials 2007;28:105, table 1: events and women with aspirin
# and without.
CLASP = """
5 156 8 74
5 303 17 303
12 565 9 477
69 1570 94 1565
9 103 11 105
313 4659 352 4650
"""

# Raudenbush and Bryk, J Educ Stat 1985;10:75, table 1: weeks of contact, effect, variance.
TEACHERS = """
2 0.03 0.0156
21 0.12 0.0216
19 -0.14 0.0279
0 1.18 0.1391
0 0.26 0.1362
3 -0.06 0.0106
17 -0.02 0.0106
24 -0.32 0.0484
0 0.27 0.0269
1 0.80 0.0630
0 0.54 0.0912
0 0.18 0.0497
1 -0.02 0.0835
2 0.23 0.0841
17 -0.18 0.0253
5 -0.06 0.0279
1 0.30 0.0193
2 0.07 0.0088
7 -0.07 0.0303
"""

# Collins, Yusuf and Peto, BMJ 1985;290:17: pre-eclampsia and women with diuretics and without.
DIURETICS = """
14 131 14 136
21 385 17 134
14 57 24 48
6 38 18 40
12 1011 35 760
138 1370 175 1336
15 506 20 524
6 108 2 103
65 153 40 102
"""

# Egger, Davey Smith and Altman, Systematic Reviews in Health Care, 2001: deaths and patients with
# intravenous magnesium and without.
MAGNESIUM = """
1 40 2 36
9 135 23 135
2 200 7 200
1 48 1 46
10 150 8 148
1 59 9 56
1 25 3 23
0 22 1 21
6 76 11 75
1 27 7 27
2 89 12 80
5 23 13 33
4 130 8 122
90 1159 118 1157
4 107 17 108
2216 29011 2103 29039
"""

# Yusuf and others, Prog Cardiovasc Dis 1985;27:335, table 6: deaths and patients with beta
# blockers and without.
BETA_BLOCKERS = """
14 56 15 58
18 66 19 64
15 100 12 95
10 52 12 47
21 226 24 228
3 38 6 31
2 20 3 20
19 76 15 67
15 106 9 114
5 62 4 57
0 9 0 8
8 133 11 127
3 48 3 49
0 16 0 13
1 42 1 46
0 25 3 25
14 221 15 228
0 11 0 11
8 259 7 129
6 157 4 158
3 177 2 136
"""

# Rothman, Greenland and Lash, Modern Epidemiology, 3rd edition, tables 15-1 (deaths and survivors
# with tolbutamide and placebo), 15-2 (deaths and years of smokers and others), 15-5.
TOLBUTAMIDE = """
8 98 5 115
22 76 16 69
"""
SMOKERS = """
32 52407 2 18790
104 43248 12 10673
206 28612 28 5710
186 12663 28 2585
102 5317 31 1462
"""
SPERMICIDE = """
3 9 104 1059
1 3 5 86
"""

# Hine and others, Arch Intern Med 1989;149:2694: deaths and patients with lidocaine and without.
LIDOCAINE = """
2 39 1 43
4 44 4 44
6 107 4 110
7 103 5 100
7 110 3 106
11 154 4 146
"""

# Hackshaw, Law and Wald, BMJ 1997;315:980: relative risk of lung cancer with its interval.
PASSIVE_SMOKING = """
1.18 0.90 1.54
1.45 1.02 2.08
2.02 0.48 8.56
1.20 0.80 1.60
0.75 0.43 1.30
2.07 0.81 5.25
2.13 1.19 3.83
0.80 0.34 1.90
0.79 0.25 2.45
2.01 1.09 3.72
1.23 0.81 1.87
1.20 0.50 3.30
1.52 0.87 2.63
1.03 0.41 2.55
1.55 0.90 2.67
1.03 0.61 1.74
2.34 0.81 6.75
1.65 1.16 2.35
1.19 0.82 1.73
1.52 0.39 5.96
2.16 1.08 4.29
1.08 0.64 1.82
2.55 0.74 8.78
1.62 0.90 2.91
1.06 0.74 1.52
0.79 0.62 1.02
0.74 0.32 1.69
2.27 0.75 6.82
0.97 0.78 1.21
1.60 0.80 3.00
1.19 0.66 2.13
1.66 0.73 3.78
1.26 1.04 1.54
1.10 0.62 1.96
1.66 1.12 2.45
1.16 0.80 1.69
1.11 0.67 1.84
"""

# Miller, Am Stat 1978;32:138: successes among cases.
PROPORTIONS = """
3 11
6 17
10 21
1 6
"""

# Normand, Stat Med 1999;18:321, table II: members, mean days and SD with specialist and with
# routine stroke care.
STROKE_CARE = """
155 55 47 156 75 64
31 27 7 32 29 4
75 64 17 71 119 29
18 66 20 18 137 48
8 14 8 13 18 11
57 19 7 52 18 4
34 52 45 33 41 34
110 21 16 183 31 27
60 30 27 52 23 20
"""

# Berkey and others, Stat Med 1998;17:2537, table I: probing depth and attachment level, improvement
# by surgery, with variances and covariance.
PERIODONTAL = """
0.47 -0.32 0.0075 0.0030 0.0077
0.20 -0.60 0.0057 0.0009 0.0008
0.40 -0.12 0.0021 0.0007 0.0014
0.26 -0.31 0.0029 0.0009 0.0015
0.56 -0.39 0.0148 0.0072 0.0304
"""
