def page(results, verdicts, failed):
    return ""
