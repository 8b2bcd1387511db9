import TLS

/// One of the fleet's keys, with the number by which a signed id names it.
package struct SigningKey: Sendable {
    /// 32 bytes, at least.
    package static var bytes: Int { 32 }

    let id: UInt8
    let authenticator: MessageAuthenticator
    /// 32 bytes that follow from the key, for TLS session tickets.
    package let ticketSecret: [UInt8]

    private static func derive(_ authenticator: MessageAuthenticator, _ purpose: String) -> [UInt8] {
        let label = Array(purpose.utf8)
        return (0..<2).flatMap { (half: UInt8) in
            let (first, second) = authenticator.tag(label.span, [half].span)
            return [first, second].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
        }
    }

    /// The number follows from the key, so every Berth that has the key gives it the same one.
    package init(_ key: [UInt8]) {
        authenticator = MessageAuthenticator(key: key)
        let name = Array("berth session key".utf8)
        let nothing: [UInt8] = []
        ticketSecret = SigningKey.derive(authenticator, "berth ticket secret")
        id = UInt8(truncatingIfNeeded: authenticator.tag(name.span, nothing.span).0)
    }
}
