"""The live page: jobs in a browser, while they run and after."""
