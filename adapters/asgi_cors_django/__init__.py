"""CORS for Django: `asgi_cors_django.middleware.CORSMiddleware` reads the settings `CORS_*`.

MIDDLEWARE = ["asgi_cors_django.middleware.CORSMiddleware", …]
CORS_ALLOWED_ORIGINS = ["https://app.example.com"]
"""
