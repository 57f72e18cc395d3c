// Connect: a unary call with a deadline, one by GET, a stream, and an error.
import {createClient} from "@connectrpc/connect";
import {createConnectTransport} from "@connectrpc/connect-web";
import {Greeter} from "./shared/greeter.js";

globalThis.run = async api => {
    const transport = createConnectTransport({baseUrl: api, useHttpGet: true});
    const client = createClient(Greeter, transport);
    const said = (await client.say({value: "Ada"}, {timeoutMs: 20_000})).value;
    const looked = (await client.look({value: "Ada"})).value;
    const counted = [];
    for await (const {value} of client.count({value: "2"})) {
        counted.push(value);
    }
    const error = await client.fail({value: "Ada"}).catch(error => `${error.code} ${error.rawMessage}`);
    return {said, looked, counted, error};
};
