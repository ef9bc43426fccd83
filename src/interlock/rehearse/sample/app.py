"""The pages of the sample application, and the application of them all."""

from __future__ import annotations

import asyncio
import contextlib
import html
import json
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from interlock.rehearse.sample.browser_app import routes
from interlock.rehearse.sample.calls import Calls
from interlock.rehearse.sample.jobs import Jobs
from interlock.rehearse.sample.parts import HEADERS, MAX_BYTES, RefusedError, Session, TroubleError, page
from interlock.rehearse.sample.reading import OF_PATIENTS, Reading, named, replaced
from interlock.rehearse.sample.writing import Writing, form


class SampleApp(Calls, Jobs, Reading, Writing):
    """The application."""

    async def patient(self, request: Request) -> Response:
        """The first page: who it is, and what was observed."""
        session = self.session(request)
        if request.query_params.get("chart", session.chart) != session.chart:
            raise RefusedError("Another patient was opened since. Please open the application from the EHR again.", 409)
        try:
            found = await self.read(session, f"Patient/{session.patient}")
            name = named(found) if found.get("id") == session.patient else "another patient than was asked for"
            if replaced(found):
                raise TroubleError("Another record took its place. Please open that one in the EHR.")
        except TroubleError as trouble:
            return page("Patient", f"<p>The patient could not be read. {html.escape(str(trouble))}</p>")
        lines, note = await self.observations(session)
        lacking = [f"{words} is not recorded." for field, words in OF_PATIENTS.items() if not found.get(field)]
        notes = "".join(f"<p>{html.escape(text)}</p>" for text in (*lacking, note) if text)
        listed = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
        listed = notes + (listed or ("" if note else "<li>Nothing is recorded.</li>"))
        listed += f"<li>Signed in: {html.escape(await self.user(session) or 'somebody unnamed')}</li>"
        name = name if session.banner else "Observations"
        return page(name, f"<ul>{listed}</ul><p>{html.escape(session.hospital.id)}</p>{form(session)}")

    async def trend(self, request: Request) -> Response:
        """The viewer: the observations as a picture."""
        session = self.session(request, "viewer")
        if request.query_params.get("patient", session.patient) != session.patient:
            raise RefusedError("There is nothing here.", 404)
        lines, _ = await self.observations(session)
        texts = "".join(f'<text y="{20 * at}">{html.escape(line)}</text>' for at, line in enumerate(lines, 1))
        drawn = f'<svg xmlns="http://www.w3.org/2000/svg">{texts}</svg>'
        return Response(drawn, media_type="image/svg+xml", headers=HEADERS)

    async def filtered(self, request: Request) -> Response:
        """The filter: the observations that hold a text."""
        session = self.session(request, "filter")
        wanted = request.query_params.get("q", "").lower()
        lines, _ = await self.observations(session)
        return Response(
            json.dumps([line for line in lines if wanted in line.lower()][:50]),
            media_type="application/json",
            headers=HEADERS,
        )

    async def events(self, request: Request) -> Response:
        """The observations as they come, for as long as the session lasts."""
        session, cookie = self.session(request), request.cookies.get("session", "")
        if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            raise RefusedError("This is for pages of the application alone.", 403)

        async def told() -> AsyncIterator[str]:
            lines, _ = await self.observations(session)
            yield f"data: {json.dumps(lines)}\n\n"
            while self.sessions.get(cookie) is session and session.ends > time.time():
                await asyncio.sleep(0.1)
                yield ": still here\n\n"

        return StreamingResponse(told(), media_type="text/event-stream", headers=HEADERS)

    async def export(self, request: Request) -> Response:
        """A link to the observations as a file."""
        session = self.session(request)
        session.link, session.link_ends = secrets.token_urlsafe(24), time.time() + self.link_seconds
        link = json.dumps({"url": f"/{session.hospital.id}/export/{session.link}"})
        return Response(link, media_type="application/json", headers=HEADERS)

    async def exported(self, request: Request) -> Response:
        """What the link leads to, for the session that it was made for."""
        session = self.session(request)
        known = secrets.compare_digest(request.path_params["link"].encode(), session.link.encode())
        if not known or session.link_ends < time.time():
            raise RefusedError("There is nothing here.", 404)
        lines, _ = await self.observations(session)
        return Response("\n".join(lines), media_type="text/csv", headers=HEADERS)

    async def notes(self, request: Request) -> Response:
        """The button that saves a note."""
        return await self.save(self.session(request), await posted(request))

    async def withdrawal(self, request: Request) -> Response:
        """The button that withdraws it."""
        return await self.withdraw(self.session(request), await posted(request))

    async def job(self, request: Request) -> Response:
        """The button that has a hospital's records counted."""
        return await self.count(self.session(request).hospital)

    async def sign_out(self, request: Request) -> Response:
        """End the session."""
        hospital = self.session(request).hospital
        self.sessions.pop(request.cookies.get("session", ""), None)
        response = page("Signed out", "<p>You are signed out.</p>")
        response.delete_cookie("session", f"/{hospital.id}")
        return response

    async def health(self, _: Request) -> Response:
        """Whether it is up."""
        return Response("up", media_type="text/plain")

    def session(self, request: Request, what: str = "") -> Session:
        """The session of the request's cookie, if it is one of the hospital of the path."""
        hospital = self.hospital(request)
        session = self.sessions.get(request.cookies.get("session", ""))
        if what in self.broken:
            session = next((known for known in reversed(self.sessions.values()) if known.hospital is hospital), session)
        if session is None or session.hospital is not hospital or session.ends < time.time():
            foreign = session is not None and session.hospital is not hospital
            raise RefusedError("Please open the application from the EHR.", 401, security=foreign)
        if session.seen + self.idle_seconds < time.time():
            raise RefusedError("Nothing was done for a while. Please open it from the EHR.", 401, security=False)
        session.seen = time.time()
        return session

    async def refuse(self, request: Request, error: Exception) -> Response:
        """The page for a request that is answered with no."""
        assert isinstance(error, RefusedError)
        flows = " ".join(name for name in request.cookies if name.startswith("flow-"))
        hospital = str(request.path_params.get("org", ""))
        self.log.say("refused", hospital, security=error.security, why=error.words, flow=flows)
        return page("This cannot be opened", f"<p>{html.escape(error.words)}</p>", error.status)


async def posted(request: Request) -> dict[str, str]:
    """The fields of a form."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            raise RefusedError("This is too large.", 413)
    return dict(parse_qsl(body.decode("utf-8", "replace"), max_num_fields=20))


def create(environment: Mapping[str, str], broken: str = "", folder: str = "") -> Starlette:
    """The application for the hospitals that the variables tell of.

    :param broken: which of ``viewer`` and ``filter`` do not ask whose session it is, with a comma between them.
    :param folder: where its log is, and where an operator switches hospitals off; without it there is neither.
    """
    app = SampleApp(environment, frozenset(broken.split(",")) - {""}, folder)

    @contextlib.asynccontextmanager
    async def while_it_runs(_: Starlette) -> AsyncIterator[None]:
        async with app.http:
            yield

    return Starlette(
        lifespan=while_it_runs,
        routes=[
            *routes(app.hospitals.values()),
            Route("/launch", app.launch),
            Route("/callback", app.callback),
            Route("/health", app.health),
            Route("/jwks.json", app.keys),
            Route("/{org}/start", app.start),
            Route("/{org}/callback", app.callback),
            Route("/{org}/patient", app.patient),
            Route("/{org}/trend.svg", app.trend),
            Route("/{org}/filter", app.filtered),
            Route("/{org}/events", app.events),
            Route("/{org}/export", app.export, methods=["POST"]),
            Route("/{org}/export/{link}", app.exported),
            Route("/{org}/hook", app.hook, methods=["POST"]),
            Route("/{org}/notified", app.notified, methods=["POST"]),
            Route("/{org}/notes", app.notes, methods=["POST"]),
            Route("/{org}/withdraw", app.withdrawal, methods=["POST"]),
            Route("/{org}/job", app.job, methods=["POST"]),
            Route("/{org}/sign-out", app.sign_out, methods=["POST"]),
        ],
        exception_handlers={RefusedError: app.refuse},
    )
