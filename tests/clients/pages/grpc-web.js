// gRPC-Web by its own client: the status of an error is in the headers of a response without a body.
import {fromBinary, toBinary, create} from "@bufbuild/protobuf";
import grpc from "grpc-web";
import {Text} from "./shared/greeter.js";

const write = value => toBinary(Text, create(Text, {value}));
const read = bytes => fromBinary(Text, bytes).value;
const method = (name, type) => new grpc.MethodDescriptor(`/test.Greeter/${name}`, type, Object, Object, write, read);

globalThis.run = async api => {
    const client = new grpc.GrpcWebClientBase({format: "text"});
    const call = name => new Promise((resolve, reject) => {
        const deadline = {deadline: String(Date.now() + 20_000)};
        const done = (error, reply) => error ? reject(error) : resolve(reply);
        client.rpcCall(`${api}/test.Greeter/${name}`, "Ada", deadline, method(name, grpc.MethodType.UNARY), done);
    });
    const said = await call("Say");
    const error = await call("Fail").catch(({code, message}) => [code, message]);
    const counted = await new Promise((resolve, reject) => {
        const values = [];
        const count = method("Count", grpc.MethodType.SERVER_STREAMING);
        client.serverStreaming(`${api}/test.Greeter/Count`, "2", {}, count)
            .on("data", value => values.push(value))
            .on("error", reject)
            .on("end", () => resolve(values));
    });
    return {said, counted, error};
};
