"""Prefect: the cohort flow, the server, lost runs, deployments."""
