import Kernel
import TLS

/// The files and ports of a balancer under trial.
struct FrontFiles {
    let folder: WorkFolder
    /// The port that clients connect to, with TLS.
    let port: UInt16
    /// The ports of the servers.
    let servers: [UInt16]
    /// The first part of the names of its files: several balancers may share a folder.
    let prefix: String

    init(_ folder: WorkFolder, servers: [UInt16], prefix: String) throws(ProveError) {
        self.folder = folder
        self.servers = servers
        self.prefix = prefix
        port = try Ports.free(1)[0]
        try writeCertificate()
    }

    var certificate: String { folder.file("\(prefix)-cert.pem") }
    var key: String { folder.file("\(prefix)-key.pem") }
    /// Certificate and key in one file.
    var bundle: String { folder.file("\(prefix)-bundle.pem") }
    var log: String { folder.file("\(prefix).log") }

    /// Makes another certificate.
    func writeCertificate() throws(ProveError) {
        do {
            let pair = try SelfSignedCertificate.make(names: ["localhost", "127.0.0.1"], validDays: 2)
            try folder.write("\(prefix)-bundle.pem", pair.certificatePEM + pair.keyPEM)
            try folder.write("\(prefix)-key.pem", pair.keyPEM)
            try folder.write("\(prefix)-cert.pem", pair.certificatePEM)
        } catch let error as ProveError {
            throw error
        } catch {
            throw ProveError("\(error)")
        }
    }

    /// Waits until the port accepts connections, at most thirty seconds. Throws with what the program last printed.
    func wait(for program: Program, _ name: String) throws(ProveError) {
        let deadline = Instant.now() + .seconds(30)
        while !Ports.isOpen(port) {
            guard program.ended == nil, Instant.now() < deadline else {
                throw ProveError("\(name) takes no connections:\n\(folder.tail("\(prefix).log"))")
            }
            _ = program.wait(milliseconds: 20)
        }
    }
}
