/// What is wrong with a response, in words for the log.
package enum ResponseFault: UInt8, Sendable, CustomStringConvertible {
    case none
    case statusLine, version, status, switchingProtocols
    case fieldLine, tooLarge, tooManyFields
    case contentLength, transferEncoding, bothLengths, sessionID, connection
    case chunk, interimFlood
    case overLimit
    case unfiltered

    /// A clause that follows "invalid response:".
    package var description: String {
        switch self {
        case .none: "nothing is wrong"
        case .statusLine: "the status line is malformed"
        case .version: "it is not HTTP/1.x"
        case .status: "the status is not 100 to 599"
        case .switchingProtocols: "101 without an Upgrade in the request"
        case .fieldLine: "a field line is malformed"
        case .tooLarge: "the head is too large"
        case .tooManyFields: "the head has too many fields"
        case .contentLength: "Content-Length is no number, or two different ones"
        case .transferEncoding: "Transfer-Encoding is not \"chunked\""
        case .bothLengths: "both Content-Length and Transfer-Encoding"
        case .sessionID: "two different Mcp-Session-Id"
        case .connection: "Connection is malformed or too long"
        case .chunk: "a chunk or trailer is malformed"
        case .interimFlood: "too many interim responses"
        case .unfiltered: "its list of tools cannot be filtered by what the caller's token allows"
        case .overLimit: "it is larger than the route's response_limit"
        }
    }
}
