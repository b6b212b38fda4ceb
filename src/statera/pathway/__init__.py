"""JAK-STAT pathways: reaction networks from SBML, data from PEtab, a drug on the kinases."""
