"""Pictures of results: plain data in, PNG and SVG out. The only home of matplotlib."""
