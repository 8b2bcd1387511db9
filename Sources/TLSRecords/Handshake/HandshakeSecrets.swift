import COpenSSL
import Glibc

/// The traffic secrets of one handshake, as OpenSSL derives them (RFC 8446 section 7.1). The server's comes with its Finished, the
/// client's with the client's: they are kept with the handshake in between.
package struct HandshakeSecrets {
    private var client = InlineArray<48, UInt8>(repeating: 0)
    private var server = InlineArray<48, UInt8>(repeating: 0)
    private var clientCount: UInt8 = 0
    private var serverCount: UInt8 = 0

    /// Secrets of a handshake that has not begun. Whoever has it calls `cleanse` at the end.
    package init() {}

    /// Overwrites the secrets.
    package mutating func cleanse() {
        withUnsafeMutableBytes(of: &self) { OPENSSL_cleanse($0.baseAddress, $0.count) }
    }

    /// Calls with both secrets, the client's first, if there are both.
    package func withSecrets<Result>(_ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Result?) -> Result? {
        guard clientCount > 0, clientCount == serverCount, clientCount <= 48 else { return nil }
        return withUnsafeBytes(of: client) { client in
            withUnsafeBytes(of: server) { server in
                body(
                    UnsafeRawBufferPointer(rebasing: client[0..<Int(clientCount)]),
                    UnsafeRawBufferPointer(rebasing: server[0..<Int(serverCount)]))
            }
        }
    }

    // MARK: - The handshake of this thread

    /// Made once. A thread has at most one handshake under way.
    private static let current: pthread_key_t = {
        var key = pthread_key_t()
        return pthread_key_create(&key, nil) == 0 ? key : pthread_key_t.max
    }()

    /// Takes note of the secrets that this thread derives while `body` runs.
    package static func capture<Result>(
        into secrets: UnsafeMutablePointer<HandshakeSecrets>?, _ body: () -> Result
    ) -> Result {
        guard let secrets else { return body() }
        pthread_setspecific(current, secrets)
        defer { pthread_setspecific(current, nil) }
        return body()
    }

    /// A secret was derived with this label.
    static func note(_ label: UnsafeRawBufferPointer, _ secret: UnsafeRawBufferPointer) {
        guard label.count == 12, secret.count <= 48, label.dropFirst().elementsEqual(" ap traffic".utf8),
            let secrets = pthread_getspecific(current)?.assumingMemoryBound(to: HandshakeSecrets.self)
        else { return }
        if label[0] == UInt8(ascii: "c") {
            for index in secret.indices { secrets.pointee.client[index] = secret[index] }
            secrets.pointee.clientCount = UInt8(truncatingIfNeeded: secret.count)
        } else if label[0] == UInt8(ascii: "s") {
            for index in secret.indices { secrets.pointee.server[index] = secret[index] }
            secrets.pointee.serverCount = UInt8(truncatingIfNeeded: secret.count)
        }
    }
}
