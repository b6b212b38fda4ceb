"""From a protocol to a bench sheet, a plate map and the precision to be expected.

Run it in any folder: it writes bench-sheet.html and platemap.csv there. The same from the command
line, with more files:

    statera assay plan --out bench
"""

from dataclasses import replace
from pathlib import Path

from statera.assay.plan_options import DoseOptions, LayoutOptions, PrecisionOptions
from statera.assay.plan_read import options_from_protocol
from statera.assay.protocol import load_protocol
from statera.manifest import manifest
from statera.plan.build import plan_bench
from statera.plan.files import plate_map
from statera.plan_report import bench_sheet
from statera.report import render_html

protocol = load_protocol("pstat3")
options = replace(
    options_from_protocol(protocol),
    doses=DoseOptions(top_nM=1000.0, n=8),
    layout=LayoutOptions(donors=("A", "B"), replicates=2),
    precision=PrecisionOptions(ic50_nM=30.0, experiments=40, doses=(8,), replicates=(1, 2)),
)
plan = plan_bench(protocol, options)

for dose in plan.assay.dilutions.doses:
    print(f"{dose.vessel}: {dose.reached_nM:.4g} nM, {dose.solvent_percent:.3g} % solvent")
for expected in plan.expected:
    print(f"{expected.cytokine}: IC50 {expected.potency}")
print(f"to be stated: {'; '.join(plan.assay.missing)}")
assert plan.assay.precision is not None
for design in plan.assay.precision.designs:
    print(
        f"{design.doses} doses x {design.replicates}, {design.donors} donors: "
        f"{100 * design.determined:.0f} % determined, mean within {design.mean_fold:.2g}-fold"
    )

page = bench_sheet(plan, manifest({}, seed=options.layout.seed))
Path("bench-sheet.html").write_text(render_html(page), encoding="utf-8")
Path("platemap.csv").write_text(plate_map(plan), encoding="utf-8")
