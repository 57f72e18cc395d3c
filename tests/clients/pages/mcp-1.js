// Version 1 of the Model Context Protocol's SDK: sessions, and a stream that continues where it was interrupted.
import {extractWWWAuthenticateParams} from "@modelcontextprotocol/sdk/client/auth.js";
import {Client} from "@modelcontextprotocol/sdk/client/index.js";
import {StreamableHTTPClientTransport} from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import {CallToolResultSchema} from "@modelcontextprotocol/sdk/types.js";

globalThis.run = async api => {
    const requestInit = {headers: {Authorization: "Bearer secret"}};
    const transport = new StreamableHTTPClientTransport(new URL(`${api}/mcp`), {requestInit});
    const client = new Client({name: "page", version: "1"});
    await client.connect(transport);
    const hasSession = Boolean(transport.sessionId);
    const tools = (await client.listTools()).tools.map(({name}) => name);
    const add = {name: "add", arguments: {left: 2, right: 3}};
    const events = [];
    const sum = await client.callTool(add, CallToolResultSchema, {onresumptiontoken: id => events.push(id)});
    // The event before the result is the last one that an interrupted client has seen.
    const resumed = await client.callTool(add, CallToolResultSchema, {resumptionToken: events[0]});
    await transport.terminateSession();
    await client.close();
    const {scope} = extractWWWAuthenticateParams(await fetch(`${api}/protected`));
    const sums = [sum, resumed].map(({content}) => content[0].text);
    return {hasSession, tools, sums, scope, version: transport.protocolVersion};
};
