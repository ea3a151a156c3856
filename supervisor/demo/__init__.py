"""`kherd demo`: a herd on the embedded broker, shown at work for half a minute and held to account for every record."""
