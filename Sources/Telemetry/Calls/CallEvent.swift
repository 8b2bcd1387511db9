package import MCP

/// A finished exchange as metrics, logs and traces see it.
///
/// A value of fixed size, so that it goes from a worker over a ring to the thread that writes it, without an allocation.
/// It never has an argument of a call, a token or the id of a session.
package struct CallEvent: BitwiseCopyable, Sendable {
    /// What came of the call.
    package enum Outcome: UInt8, BitwiseCopyable, CaseIterable, Sendable {
        /// The server answered with a result, or with whatever it is that is no JSON-RPC.
        case success
        /// A result whose `isError` is true (MCP, tools: errors of the tool itself).
        case toolError
        /// A JSON-RPC error of the server; `errorCode` says which.
        case rpcError
        /// A status of the server that is an error, without a JSON-RPC error.
        case httpError
        /// There was no answer in time.
        case timeout
        /// The client did not wait for the answer.
        case cancelled
        /// The response broke off after it had begun.
        case aborted
        /// Berth answered itself; `reason` says why.
        case rejected
    }

    /// Microseconds after the start of the exchange, at most 71 minutes.
    package struct Offsets: BitwiseCopyable, Sendable {
        /// When it was queued, when it had a connection, and when the first byte of the response came; `never` if that did
        /// not happen.
        package var queued = Offsets.never, connected = Offsets.never, firstByte = Offsets.never
        /// That did not happen.
        package static let never = UInt32.max
        /// None of them has happened.
        package init() {}
    }

    /// When the request's head was complete, in nanoseconds since 1970.
    package var startedAt: UInt64 = 0
    /// From then to the last byte of the response, in nanoseconds.
    package var duration: UInt64 = 0
    /// When it reached its phases.
    package var offsets = Offsets()
    /// Bytes of the request's body that were forwarded.
    package var requestBytes: UInt64 = 0
    /// Bytes of the response's body that were forwarded.
    package var responseBytes: UInt64 = 0
    /// Stands for the session in logs, the same on every worker; 0: there was none. Nobody can make the id of it.
    package var session: UInt64 = 0
    /// The request's trace (W3C Trace Context).
    package var trace = TraceContext()
    /// Who called.
    package var client = ClientAddress()
    /// What was asked for.
    package var method = MCPMethod.other
    /// What came of it.
    package var outcome = Outcome.success
    /// The code of the JSON-RPC error in the answer; 0 if there was none.
    package var errorCode: Int32 = 0
    /// The status that the client got; 0 if it got none.
    package var status: UInt16 = 0
    /// The slot of the upstream; `UInt16.max` if none was found.
    package var upstream = UInt16.max
    /// The slot of the server; -1 if none was selected.
    package var server: Int32 = -1
    /// The slot of the listener.
    package var listener: UInt16 = 0
    /// The raw value of `ProtocolRevisions` with the one revision that the request names; 0: none.
    package var revision: UInt16 = 0
    /// Why Berth answered itself: the number of the rejection; `UInt8.max` if it did not.
    package var reason = UInt8.max
    /// Attempts before the one that was answered.
    package var retries: UInt8 = 0
    /// What else is to be said.
    package var flags: Flags = []
    /// The HTTP method, as the Proxy numbers them.
    package var httpMethod: UInt8 = 0
    /// The tool, the prompt, or the resource's URI; empty if the method has none.
    package var name = CallName()

    /// A call of which nothing is known.
    package init() {}

    /// What else is to be said.
    package struct Flags: OptionSet, BitwiseCopyable, Sendable {
        /// A bit for each.
        package let rawValue: UInt8
        /// The flags whose bits are set.
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        /// Its session was opened anew on another server for it.
        package static let recovered = Flags(rawValue: 1)
        /// The response was an event stream.
        package static let eventStream = Flags(rawValue: 2)
        /// The client speaks TLS.
        package static let secure = Flags(rawValue: 4)
        /// The client speaks HTTP/2.
        package static let http2 = Flags(rawValue: 8)
        /// The message has an id: somebody waits for the answer.
        package static let request = Flags(rawValue: 16)
        /// The response is the stream that a session's client listens on, and no call.
        package static let listening = Flags(rawValue: 32)
        /// The answer is one that was kept: no server was asked, or the one that was has failed.
        package static let cached = Flags(rawValue: 64)
    }

    /// The address of the client, as its proxies say it where they are trusted.
    package struct ClientAddress: BitwiseCopyable, Sendable {
        /// IPv6 in network order; IPv4 as `::ffff:a.b.c.d` (RFC 4291 section 2.5.5.2).
        package var bytes = InlineArray<16, UInt8>(repeating: 0)
        /// Of the client; 0: not known.
        package var port: UInt16 = 0
        /// No address.
        package init() {}

        /// An address by its two halves, the first byte the highest, and a port.
        package init(_ high: UInt64, _ low: UInt64, port: UInt16) {
            bytes = unsafeBitCast((high.bigEndian, low.bigEndian), to: InlineArray<16, UInt8>.self)
            self.port = port
        }
    }
}
