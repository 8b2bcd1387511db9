import COpenSSL

/// Where certificates, keys and OCSP responses come from: a file, or bytes already in memory.
package enum CredentialSource: Equatable, Sendable {
    /// The path of a file, read when it is used.
    case file(String)
    /// Bytes in memory.
    case bytes([UInt8])
    /// Bytes that the caller has already read from the named file.
    case read(file: String, [UInt8])

    /// The file's name, for messages.
    var name: String? {
        switch self {
        case .file(let path), .read(let path, _): path
        case .bytes: nil
        }
    }

    /// The whole contents.
    func bytes() throws(TLSError) -> [UInt8] {
        switch self {
        case .file(let path): try FileContents.read(path)
        case .bytes(let bytes), .read(_, let bytes): bytes
        }
    }

    /// Runs `body` with a BIO that reads the source. The BIO is freed afterwards. `action` is for the error's text.
    func read<Result>(
        _ action: StaticString, _ body: (OpaquePointer) throws(TLSError) -> Result
    ) throws(TLSError) -> Result {
        ERR_clear_error()
        let bio: OpaquePointer?
        switch self {
        case .file(let path):
            bio = BIO_new_file(path, "r")
        case .bytes(let bytes), .read(_, let bytes):
            // A copy, so that the BIO does not depend on the lifetime of the array's storage.
            bio = BIO_new(BIO_s_mem())
            let count = CInt(clamping: bytes.count)
            if let bio, count > 0, BIO_write(bio, bytes, count) != count {
                BIO_free(bio)
                throw .last(action)
            }
        }
        guard let bio else { throw .last(action, about: name) }
        defer { BIO_free(bio) }
        return try body(bio)
    }

    /// Makes an error that names the file, and empties the thread's error queue.
    func failure(_ action: StaticString, _ reason: String) -> TLSError {
        ERR_clear_error()
        return TLSError(action: action, reason: name.map { "\($0): \(reason)" } ?? reason)
    }
}
