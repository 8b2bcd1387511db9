import TLS

/// One of the fleet's keys, with the number by which a signed id names it.
package struct SigningKey: Sendable, Equatable, CustomStringConvertible {
    /// 32 bytes, at least.
    package static var bytes: Int { 32 }

    let id: UInt8
    let authenticator: MessageAuthenticator
    /// 32 bytes that follow from the key and from which it does not follow. Equal keys have equal ones; nothing is signed or
    /// encrypted with them.
    package let fingerprint: [UInt8]

    /// The number follows from the key, so every Berth that has the key gives it the same one.
    package init(_ key: [UInt8]) {
        authenticator = MessageAuthenticator(key: key)
        let name = Array("berth session key".utf8)
        let nothing: [UInt8] = []
        fingerprint = authenticator.derive("berth key fingerprint")
        id = UInt8(truncatingIfNeeded: authenticator.tag(name.span, nothing.span).0)
    }

    /// Says nothing of the key: logs and failed tests may have it.
    package var description: String { "key \(id)" }

    package static func == (left: SigningKey, right: SigningKey) -> Bool { left.fingerprint == right.fingerprint }
}

extension MessageAuthenticator {
    /// 32 bytes that follow from the key, for one purpose.
    func derive(_ purpose: String) -> [UInt8] {
        let label = Array(purpose.utf8)
        return (0..<2).flatMap { (half: UInt8) in
            let (first, second) = tag(label.span, [half].span)
            return [first, second].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
        }
    }
}
