// gRPC-Web by Connect's client: the status of an error is in the headers of a response without a body.
import {Code, createClient} from "@connectrpc/connect";
import {createGrpcWebTransport} from "@connectrpc/connect-web";
import {Greeter, Text} from "./shared/greeter.js";

globalThis.run = async api => {
    const client = createClient(Greeter, createGrpcWebTransport({baseUrl: api}));
    const said = (await client.say({value: "Ada"}, {timeoutMs: 20_000})).value;
    const counted = [];
    for await (const {value} of client.count({value: "2"})) {
        counted.push(value);
    }
    const error = await client.fail({value: "Ada"}).catch(error => error);
    const details = error.findDetails(Text).map(({value}) => value);
    return {said, counted, error: [Code[error.code], error.rawMessage], details};
};
