/**
 * How long the caller still waits, in whole milliseconds: what comes later is not read by anybody. Remaining time
 * travels and not an instant, because two machines do not agree on what time it is.
 */
export const remainingHeader = "request-timeout-ms";

/** The trace context, unless nothing is being traced: all zeros are not a valid trace id. */
export const traceHeaders = (traceparent: string): { readonly traceparent?: string } =>
  /^[\da-f]{2}-0{32}-/.test(traceparent) || traceparent === "" ? {} : { traceparent };
