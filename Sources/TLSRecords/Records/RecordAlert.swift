/// Alerts that end a connection (RFC 8446 section 6.2).
enum RecordAlert: UInt8, Sendable {
    case unexpectedMessage = 10
    case badRecordMAC = 20
    case recordOverflow = 22
    case decodeError = 50
    case illegalParameter = 47
    case internalError = 80

    /// What operators are told.
    var reason: String {
        switch self {
        case .unexpectedMessage: "unexpected message"
        case .badRecordMAC: "decryption failed or bad record mac"
        case .recordOverflow: "a record that is too long"
        case .decodeError: "a message that cannot be read"
        case .illegalParameter: "a message with a value that is not allowed"
        case .internalError: "a key could not be used"
        }
    }
}
