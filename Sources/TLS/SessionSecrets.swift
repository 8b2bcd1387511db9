import COpenSSL
import TLSRecords

/// The traffic secrets of a handshake, kept with its SSL, which overwrites and frees them with itself.
enum SessionSecrets {
    static func attach(to ssl: OpaquePointer?) {
        guard index >= 0 else { return }
        let secrets = UnsafeMutablePointer<HandshakeSecrets>.allocate(capacity: 1)
        secrets.initialize(to: HandshakeSecrets())
        if SSL_set_ex_data(ssl, index, secrets) != 1 { secrets.deallocate() }
    }

    static func of(_ ssl: OpaquePointer?) -> UnsafeMutablePointer<HandshakeSecrets>? {
        guard index >= 0 else { return nil }
        return SSL_get_ex_data(ssl, index)?.assumingMemoryBound(to: HandshakeSecrets.self)
    }

    /// Overwrites and frees them now: the connection stays with OpenSSL.
    static func detach(from ssl: OpaquePointer?) {
        guard let ssl, let secrets = of(ssl) else { return }
        SSL_set_ex_data(ssl, index, nil)
        release(secrets)
    }

    private static func release(_ secrets: UnsafeMutablePointer<HandshakeSecrets>) {
        secrets.pointee.cleanse()
        secrets.deinitialize(count: 1)
        secrets.deallocate()
    }

    private static let index: CInt = berth_SSL_get_ex_new_index { _, kept, _, _, _, _ in
        if let kept { SessionSecrets.release(kept.assumingMemoryBound(to: HandshakeSecrets.self)) }
    }
}
