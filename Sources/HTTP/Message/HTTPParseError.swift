/// Why a message is refused. For a request each case has the status that the client gets. For a response from a server
/// every case means 502.
package enum HTTPParseError: UInt8, Error, Sendable {
    /// Malformed or ambiguous: two parsers could read it in two ways.
    case malformed
    /// The request target is longer than `HeadLimits.targetBytes`.
    case targetTooLong
    /// The head is larger than `HeadLimits` allows.
    case headTooLarge
    /// The body is larger than the configuration allows.
    case bodyTooLarge
    /// A transfer coding other than `chunked`.
    case codingUnsupported
    /// An HTTP version other than 1.x.
    case versionUnsupported
    /// An `Expect` other than `100-continue`.
    case expectationFailed
    /// CONNECT, which only a forward proxy can serve.
    case methodUnsupported

    /// The status code to answer a request with.
    package var status: UInt16 {
        switch self {
        case .malformed: 400
        case .targetTooLong: 414
        case .headTooLarge: 431
        case .bodyTooLarge: 413
        case .codingUnsupported: 501
        case .versionUnsupported: 505
        case .expectationFailed: 417
        case .methodUnsupported: 405
        }
    }
}
