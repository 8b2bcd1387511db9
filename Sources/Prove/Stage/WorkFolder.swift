import FoundationEssentials
import Glibc
import Kernel

/// A temporary folder with the files of a trial. Removed with its owner.
package final class WorkFolder {
    /// The path of the folder.
    package let path: String

    /// Makes a folder that only this user can enter. Throws if it cannot be made.
    package init() throws(ProveError) {
        let url = FileManager.default.temporaryDirectory.appending(
            path: "berth-prove-\(getpid())-\(UUID().uuidString.prefix(8))")
        path = url.path
        do {
            try FileManager.default.createDirectory(
                at: url, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw ProveError("cannot make the folder \(path): \(error)")
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The path of a file in the folder.
    package func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Writes a file in one step (rename), and returns its path.
    @discardableResult
    package func write(_ name: String, _ bytes: [UInt8]) throws(ProveError) -> String {
        do {
            try SmallFile.replace(file(name), with: bytes, mode: 0o600)
        } catch {
            throw ProveError("cannot write \(file(name)): \(error)")
        }
        return file(name)
    }

    /// Writes a text, as `write(_:_:)` for bytes.
    @discardableResult
    package func write(_ name: String, _ text: String) throws(ProveError) -> String {
        try write(name, Array(text.utf8))
    }

    /// The text of a file; empty if there is none.
    package func text(_ name: String) -> String {
        (try? String(contentsOfFile: file(name), encoding: .utf8)) ?? ""
    }

    /// The last lines of a file, for an error message.
    func tail(_ name: String) -> String { text(name).split(separator: "\n").suffix(5).joined(separator: "\n") }
}
