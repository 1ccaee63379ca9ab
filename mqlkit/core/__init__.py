"""Terms, metrics, parameters, periods and formatting: no data, no engine."""
