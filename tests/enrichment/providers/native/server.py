"""One server for all protocols, each below a prefix of its own."""

import json

from aiohttp import web

from tests.enrichment.loopback_server import LoopbackServer
from tests.enrichment.providers.native.protocol import Protocol, Request


class NativeServer(LoopbackServer):
    """Replies in every protocol according to `situation`, and keeps the requests."""

    def __init__(self, *protocols: Protocol) -> None:
        super().__init__()
        self.situation = "ok"
        self.requests: list[Request] = []
        self._protocols = {protocol.name: protocol for protocol in protocols}

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_route("*", "/{protocol}{path:/.*}", self._respond)

    def address(self, protocol: Protocol) -> str:
        return f"http://127.0.0.1:{self.port}/{protocol.name}"

    async def _respond(self, request: web.Request) -> web.Response:
        protocol = self._protocols[request.match_info["protocol"]]
        body = json.loads(await request.text() or "{}")
        path = request.raw_path.removeprefix(f"/{protocol.name}")
        arrived = Request(path=path, headers=request.headers, body=body, key=protocol.key_in(request.headers))
        self.requests.append(arrived)
        if path != protocol.base + protocol.path:
            return web.Response(status=404, text=f"No such path. {arrived.echo}")
        return protocol.reply(self.situation, arrived)
