// Version 2 of the SDK speaks the protocol of 2026-07-28: names in headers, and no session.
import {Client, DpopSession, StreamableHTTPClientTransport, withDpop} from "@modelcontextprotocol/client";

globalThis.run = async api => {
    const session = await DpopSession.create();
    const transport = new StreamableHTTPClientTransport(new URL(`${api}/mcp`), {
        authProvider: {token: async () => "secret"},
        fetch: withDpop(session, () => "secret")(fetch.bind(globalThis)),
    });
    const client = new Client({name: "page", version: "1"}, {versionNegotiation: {mode: "auto"}});
    await client.connect(transport);
    const tools = (await client.listTools()).tools.map(({name}) => name);
    // In a browser the client leaves the headers of parameters to the page.
    const headers = {"Mcp-Param-Left": "2"};
    const sum = (await client.callTool({name: "add", arguments: {left: 2, right: 3}}, {headers})).content[0].text;
    const version = client.getNegotiatedProtocolVersion();
    await client.close();
    return {tools, sum, version, nonce: session.nonceFor(api)};
};
