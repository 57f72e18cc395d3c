// OpenTelemetry's instrumentation of fetch, in a trace with state and baggage.
import {context, propagation, trace} from "@opentelemetry/api";
import {CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator} from "@opentelemetry/core";
import {registerInstrumentations} from "@opentelemetry/instrumentation";
import {FetchInstrumentation} from "@opentelemetry/instrumentation-fetch";
import {WebTracerProvider} from "@opentelemetry/sdk-trace-web";

globalThis.run = async api => {
    const propagators = [new W3CTraceContextPropagator(), new W3CBaggagePropagator()];
    new WebTracerProvider().register({propagator: new CompositePropagator({propagators})});
    registerInstrumentations({instrumentations: [new FetchInstrumentation({propagateTraceHeaderCorsUrls: [new RegExp(`^${api}`)]})]});
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const parent = propagation.extract(context.active(), {traceparent, tracestate: "shop=1", baggage: "user=ada"});
    const response = await context.with(parent, () => fetch(`${api}/headers`));
    const {traceparent: sent, ...others} = await response.json();
    return {trace: sent?.split("-")[1], ...others};
};
