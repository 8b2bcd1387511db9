/// Alerts that end a connection (RFC 8446 section 6.2).
enum RecordAlert: UInt8, Sendable {
    case unexpectedMessage = 10
    case badRecordMAC = 20
    case recordOverflow = 22
    case illegalParameter = 47
    case decodeError = 50
    case protocolVersion = 70
    case internalError = 80

    /// What operators are told.
    var reason: String {
        switch self {
        case .unexpectedMessage: "unexpected message"
        case .badRecordMAC: "decryption failed or bad record mac"
        case .recordOverflow: "a record that is too long"
        case .illegalParameter: "a message with a value that is not allowed"
        case .decodeError: "a message that cannot be read"
        case .protocolVersion: "a record of no version of TLS"
        case .internalError: "a key could not be used"
        }
    }
}
