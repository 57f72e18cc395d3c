"""One CORS policy for every Python web app."""
