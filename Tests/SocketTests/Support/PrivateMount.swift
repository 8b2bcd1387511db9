import Foundation
import Glibc
import TestSupport

/// A file system of its own for a process, which nobody else sees: the test's way to a disk that is really full.
enum PrivateMount {
    /// Why it cannot be made here; nil: it can.
    static let problem: String? = {
        guard let folder = try? TemporaryFolder() else { return "there is no temporary folder" }
        let process = TestProcess()
        let words = launcher(at: folder.url.path, size: "64k") + ["/bin/true"]
        process.executableURL = URL(filePath: words[0])
        process.arguments = Array(words.dropFirst())
        guard let said = try? process.runToEnd(reading: .errors) else { return "there is no \(words[0])" }
        return process.terminationStatus == 0 ? nil : String(decoding: said, as: UTF8.self)
    }()

    /// The words of a command that mounts a tmpfs of this size on a folder, for itself, and becomes the command behind them.
    static func launcher(at folder: String, size: String) -> [String] {
        let namespaces = getuid() == 0 ? ["--mount"] : ["--mount", "--map-root-user"]
        let script = "mount -t tmpfs -o size=\(size) tmpfs \"$0\" && exec \"$@\""
        return ["/usr/bin/unshare"] + namespaces + ["/bin/sh", "-c", script, folder]
    }
}
