"""Terms, metrics, parameters, periods and formatting, without pandas or an engine."""
