import FoundationEssentials
import Kernel

/// The file of the ticket secret, beside the key file: the period and the secret in base64. Berth writes each period's
/// secret over the one before, so that no older one is left; where it cannot write, the file stays what it is and the
/// present secret is derived from it.
enum TicketFile {
    private static let what = "ticket file"

    /// The ratchet in the file; nil if there is none.
    static func read(_ path: String) throws(StartError) -> TicketRatchet? {
        guard let contents = try SecretFile.read(path, what) else { return nil }
        let words = String(decoding: contents.bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        guard words.count == 2, let period = Int64(words[0]), period >= 0,
            let secret = Data(base64Encoded: String(words[1])),
            secret.count == TicketRatchet.bytes
        else {
            throw StartError(
                "\(path): expected a period and a base64 secret of 32 bytes; remove it and a new one is made")
        }
        return TicketRatchet(period: period, secret: [UInt8](secret))
    }

    /// The ratchet in the file, which is made first if there is none.
    static func load(_ path: String, at time: Int64) throws(StartError) -> TicketRatchet {
        if let ratchet = try read(path) { return ratchet }
        let fresh = TicketRatchet.random(at: time, Machine.randomBytes(TicketRatchet.bytes))
        try SecretFile.create(path, text(fresh), what)
        // Another Berth may have been faster.
        return try read(path) ?? fresh
    }

    /// Puts a later secret in the place of the one in the file.
    static func write(_ path: String, _ ratchet: TicketRatchet) throws(StartError) {
        try SecretFile.replace(path, text(ratchet), what)
    }

    private static func text(_ ratchet: TicketRatchet) -> String {
        "\(ratchet.period) \(Data(ratchet.secret).base64EncodedString())\n"
    }
}
