"""A store on a PostgreSQL server, which many machines share."""
