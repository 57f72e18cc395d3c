"""SQLAlchemy: the origins are rows of a table of your own. Every worker reads the whole table once in a while.

Serve it, add an origin, and call the API from it:

    pip install 'asgi-cors-bridge[starlette]' 'sqlalchemy[asyncio]' aiosqlite fastapi uvicorn
    DATABASE_URL=sqlite+aiosqlite:///domains.db uvicorn --app-dir examples/dynamic sqlalchemy_table:app
    curl -X PUT 'localhost:8000/domains?origin=https://shop.example.com'
    curl -i localhost:8000/items -H 'Origin: https://shop.example.com'
"""

import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException
from sqlalchemy import select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from asgi_cors import Loaded, check_origin
from asgi_cors_starlette import install

# Connects at the first query, in the event loop of the server. pool_pre_ping replaces a connection that was cut.
engine = create_async_engine(os.environ["DATABASE_URL"], pool_pre_ping=True)
sessions = async_sessionmaker(engine)


class Base(DeclarativeBase):
    """The models of the app."""


class Domain(Base):
    """An origin that a customer has added."""

    __tablename__ = "domains"
    origin: Mapped[str] = mapped_column(primary_key=True)
    is_active: Mapped[bool] = mapped_column(default=True)


async def customers() -> Sequence[str]:
    """Return all origins. If this raises, the last list stays in use."""
    async with sessions() as session:
        return (await session.scalars(select(Domain.origin).where(Domain.is_active))).all()


origins = Loaded(customers, every=30)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncGenerator[None, None]:
    """Create the table, which is the task of a migration in production. Close the connections at the end."""
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)
install(app, allow_origins=["https://app.example.com", origins])


@app.get("/items")
async def items() -> list[str]:
    """Return the items."""
    return ["tea", "cake"]


@app.put("/domains")  # for your customers: protect it with your login
async def add(origin: str) -> dict[str, str]:
    """Add an origin. This worker allows it at once, the others when they read the table again."""
    if issue := check_origin(origin):
        raise HTTPException(422, f"{issue.message}. {issue.hint}")
    async with sessions.begin() as session:
        await session.merge(Domain(origin=origin, is_active=True))
    await origins.refresh()  # after the commit
    return {"added": origin}
