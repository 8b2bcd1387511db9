import Foundation
import TLS

/// A folder whose certificate is replaced as Kubernetes does it: `tls.crt` and `tls.key` are links through a link to a
/// folder, and that link is replaced by renaming.
final class CertificateFolder: Sendable {
    private let path = FileManager.default.temporaryDirectory.appending(path: "berth-\(UUID().uuidString)").path
    var pair: TLSFiles.Pair { TLSFiles.Pair(certificate: "\(path)/tls.crt", key: "\(path)/tls.key") }

    init() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(atPath: "\(path)/tls.crt", withDestinationPath: "..data/tls.crt")
        try FileManager.default.createSymbolicLink(atPath: "\(path)/tls.key", withDestinationPath: "..data/tls.key")
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Replaces the pair with a new one for `name`.
    func replace(_ name: String) throws {
        let pair = try SelfSignedCertificate.make(names: [name, "localhost"], validDays: 2)
        try replace(certificate: pair.certificatePEM, key: pair.keyPEM)
    }

    func replace(certificate: [UInt8], key: [UInt8]) throws {
        let version = UUID().uuidString
        try FileManager.default.createDirectory(atPath: "\(path)/\(version)", withIntermediateDirectories: false)
        try Data(certificate).write(to: URL(fileURLWithPath: "\(path)/\(version)/tls.crt"))
        try Data(key).write(to: URL(fileURLWithPath: "\(path)/\(version)/tls.key"))
        try FileManager.default.createSymbolicLink(atPath: "\(path)/new", withDestinationPath: version)
        guard rename("\(path)/new", "\(path)/..data") == 0 else { throw CocoaError(.fileWriteUnknown) }
    }
}
