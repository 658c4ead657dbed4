"""The approaches measured against each other on the same questions: arms, results, verdict, report."""
