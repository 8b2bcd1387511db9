import TLS

/// One of the fleet's keys, with the number by which a sealed id names it.
package struct SealingKey: Sendable {
    /// 32 bytes, at least.
    package static var bytes: Int { 32 }

    let id: UInt8
    let authenticator: MessageAuthenticator

    /// The number follows from the key, so every Berth that has the key gives it the same one.
    package init(_ key: [UInt8]) {
        authenticator = MessageAuthenticator(key: key)
        let name = Array("berth session key".utf8)
        let nothing: [UInt8] = []
        id = UInt8(truncatingIfNeeded: authenticator.tag(name.span, nothing.span).0)
    }
}
