/// What is wrong with a message. For a request each has the status that the client gets; in a response from a
/// server every one of them means 502.
package enum HTTPParseError: UInt8, Error, Sendable {
    /// Malformed or ambiguous; anything that could be read in two ways by two parsers.
    case malformed
    case targetTooLong
    case headTooLarge
    case bodyTooLarge
    /// A transfer coding other than `chunked`.
    case codingUnsupported
    case versionUnsupported
    /// An `Expect` other than `100-continue`.
    case expectationFailed

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
        }
    }
}
