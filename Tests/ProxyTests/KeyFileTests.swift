import Foundation
import Glibc
import Kernel
import Testing

@testable import Proxy

@Suite("Key file")
struct KeyFileTests {
    /// A folder that goes with its owner.
    final class Folder: Sendable {
        let url = FileManager.default.temporaryDirectory.appending(path: "berth-keys-\(UUID().uuidString)")

        init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }

        deinit { try? FileManager.default.removeItem(at: url) }

        func path(_ name: String) -> String { url.appending(path: name).path }

        func write(_ text: String) throws -> String {
            try Data(text.utf8).write(to: url.appending(path: "keys"))
            chmod(path("keys"), 0o600)
            return path("keys")
        }
    }

    private let folder: Folder

    init() throws { folder = try Folder() }

    private static func text(_ byte: UInt8, bytes: Int = 32) -> String {
        Data(repeating: byte, count: bytes).base64EncodedString()
    }

    private static func secret(_ byte: UInt8, bytes: Int = 32) -> [UInt8] {
        SigningKey([UInt8](repeating: byte, count: bytes)).fingerprint
    }

    private func mode(_ path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return (attributes[.posixPermissions] as? NSNumber)?.intValue ?? 0
    }

    @Test("a file that is not there is made, for its owner only, and read the next time")
    func made() throws {
        let path = folder.path("new/deeper/session.keys")

        let made = try KeyFile.load(path)

        #expect(made.count == 1)
        #expect(try mode(path) == 0o600)
        #expect(try mode(folder.path("new/deeper")) == 0o700)
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(Data(base64Encoded: String(text.dropLast()))?.count == 32 && text.hasSuffix("\n"))
        #expect(try KeyFile.load(path).map(\.fingerprint) == made.map(\.fingerprint))
        #expect(try String(contentsOfFile: path, encoding: .utf8) == text, "reading changes nothing")
    }

    @Test("two files have two keys")
    func fresh() throws {
        let (one, two) = (try KeyFile.load(folder.path("1")), try KeyFile.load(folder.path("2")))
        #expect(one[0].fingerprint != two[0].fingerprint)
    }

    @Test(
        "keys are read in their order, comments and blank lines left out",
        arguments: [
            ("\(text(1))\n", [1]), ("\(text(1))", [1]), ("\(text(1))\n\(text(2))\n\(text(3))\n", [1, 2, 3]),
            ("\(text(3))\n\(text(1))\n", [3, 1]), ("# newest\n\(text(1))\n# older\n\(text(2))\n#", [1, 2]),
            ("\n\n\(text(1))\n\n\(text(2))\n\n", [1, 2]), ("\(text(1))\r\n\(text(2))\r\n", [1, 2]),
            (" \n\t\n\(text(1))\n  \n", [1]), ("  \(text(1))\t\n", [1]), ("\(text(1))\n\(text(1))\n", [1, 1]),
        ] as [(String, [UInt8])])
    func order(_ text: String, _ keys: [UInt8]) throws {
        #expect(try KeyFile.load(folder.write(text)).map(\.fingerprint) == keys.map { Self.secret($0) })
    }

    @Test("a longer key counts with all its bytes")
    func longer() throws {
        let key = try KeyFile.load(folder.write(Self.text(7, bytes: 64)))
        #expect(key.map(\.fingerprint) == [Self.secret(7, bytes: 64)])
        #expect(key[0].fingerprint != Self.secret(7))
    }

    @Test(
        "what is no key is refused at its line",
        arguments: [
            ("no base64 at all!", 1), ("\(text(1))\n\(text(2, bytes: 31))\n", 2), ("\(text(1))\n====\n", 2),
            ("\n\n?\n", 3), ("\(text(1))\n\n\n# one\n\n?", 6), ("\r\n\r\n?\r\n", 3), ("  \n\t\n?", 3),
            ("# one\n# two\n\(text(1, bytes: 1))", 3), ("\(text(1)) \(text(2))\n", 1), ("\u{0}\n", 1),
        ])
    func refused(_ text: String, _ line: Int) throws {
        let path = try folder.write(text)
        let error = #expect(throws: StartError.self) { try KeyFile.load(path) }
        #expect(error?.description == "\(path):\(line): expected a base64 key of at least 32 bytes")
        #expect(try String(contentsOfFile: path, encoding: .utf8) == text, "the file stays what it is")
    }

    @Test("a file without a key is refused, not filled", arguments: ["", "\n\n", "# no key yet\n"])
    func empty(_ text: String) throws {
        let path = try folder.write(text)
        let error = #expect(throws: StartError.self) { try KeyFile.load(path) }
        #expect(error?.description == "\(path) holds no key; remove it and a new one is made")
        #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
    }

    @Test("what cannot be read or made is refused, with the reason")
    func unreadable() throws {
        // A folder in the file's place, a file in the folder's place, a folder that takes no files (root may anything).
        let error = #expect(throws: StartError.self) { try KeyFile.load(folder.url.path) }
        #expect(error?.description == "cannot read the key file \(folder.url.path): Is a directory")
        let file = try folder.write(Self.text(1))
        let inFile = #expect(throws: StartError.self) { try KeyFile.load("\(file)/keys") }
        #expect(inFile?.description == "cannot read the key file \(file)/keys: Not a directory")
        let loop = folder.path("loop")
        try FileManager.default.createSymbolicLink(atPath: loop, withDestinationPath: loop)
        let inLoop = #expect(throws: StartError.self) { try KeyFile.load(loop) }
        #expect(inLoop?.description == "cannot read the key file \(loop): Too many levels of symbolic links")
        let inProc = #expect(throws: StartError.self) { try KeyFile.load("/proc/berth/keys") }
        #expect(inProc?.description.contains("No such file or directory") == true)
    }

    @Test(
        "a file that others can write, or everyone can read, is refused",
        arguments: [
            (0o600, nil), (0o400, nil), (0o640, nil), (0o440, nil), (0o644, "can be read by everyone (mode 0644)"),
            (0o604, "can be read by everyone (mode 0604)"), (0o660, "can be written by others (mode 0660)"),
            (0o602, "can be written by others (mode 0602)"), (0o666, "can be written by others (mode 0666)"),
        ] as [(mode_t, String?)])
    func modes(_ mode: mode_t, _ problem: String?) throws {
        let path = try folder.write(Self.text(1))
        chmod(path, mode)
        guard let problem else {
            #expect(try KeyFile.load(path).count == 1)
            return
        }
        let error = #expect(throws: StartError.self) { try KeyFile.load(path) }
        #expect(error?.description == "the key file \(path) \(problem): chmod 600 it")
        #expect(KeyFile.problem(with: path) == error?.description)
    }

    @Test("a file of another user is refused", .enabled(if: geteuid() == 0, "only root can give files away"))
    func owner() throws {
        let path = try folder.write(Self.text(1))
        chown(path, 4_711, 0)
        let error = #expect(throws: StartError.self) { try KeyFile.load(path) }
        #expect(error?.description.contains("belongs to user 4711") == true)
    }

    @Test("a folder in which others can put another file is refused, unless it is sticky; nothing is made in it")
    func openFolder() throws {
        let path = try folder.write(Self.text(1))
        for (mode, isRefused) in [(0o777, true), (0o757, true), (0o1777, false), (0o755, false), (0o700, false)] {
            chmod(folder.url.path, mode_t(mode))
            guard isRefused else {
                #expect(try KeyFile.load(path).count == 1)
                continue
            }
            let error = #expect(throws: StartError.self) { try KeyFile.load(path) }
            #expect(
                error?.description.contains("is in a folder that others can write (mode 0\(String(mode, radix: 8)))")
                    == true)
            #expect(throws: StartError.self) { try KeyFile.load(folder.path("fresh")) }
            #expect(throws: StartError.self) { try KeyFile.load(folder.path("below/fresh")) }
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path).sorted() == ["below", "keys"])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path("below")) == [])
    }

    @Test("a link is followed, and the folder that it leads to must be safe as well")
    func link() throws {
        let other = try Folder()
        let real = try other.write(Self.text(1))
        let link = folder.path("link")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: real)
        #expect(try KeyFile.load(link).count == 1)
        chmod(other.url.path, 0o777)
        #expect(throws: StartError.self) { try KeyFile.load(link) }
    }

    @Test("a pipe is refused, and does not hold up the start")
    func pipe() throws {
        let path = folder.path("pipe")
        mkfifo(path, 0o600)
        let error = #expect(throws: StartError.self) { try KeyFile.load(path) }
        #expect(error?.description == "the key file \(path) is not a regular file")
    }

    @Test("whoever loads a new file at once with others gets the key that is kept")
    func together() async throws {
        for round in 0..<100 {
            let path = folder.path("at once/\(round)/session.keys")
            let taken = try await withThrowingTaskGroup(of: [UInt8].self) { group in
                for _ in 0..<8 { group.addTask { try KeyFile.load(path)[0].fingerprint } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let kept = try KeyFile.load(path)
            #expect(taken == Array(repeating: kept[0].fingerprint, count: 8))
            #expect(try mode(path) == 0o600)
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.path("at once/\(round)"))
            #expect(names == ["session.keys"], "nothing else is left")
        }
    }

    @Test("of two processes that start at once none keeps a key of its own")
    func twoProcesses() async throws {
        for round in 0..<5 {
            let path = folder.path("together\(round)")
            async let first: Void = load(path)
            async let second: Void = load(path)
            _ = await (first, second)
            let kept = try KeyFile.load(path)
            #expect(kept.count == 1)
            // What a process took is in a file beside it.
            let taken = try FileManager.default.contentsOfDirectory(atPath: folder.url.path)
                .filter { $0.hasPrefix("together\(round).") }
                .map { try Data(contentsOf: folder.url.appending(path: $0)) }
            #expect(taken.count == 2)
            #expect(taken.allSatisfy { $0 == Data(kept[0].fingerprint) })
        }
    }

    /// In a process of its own: loads, and writes down what it has got.
    private func load(_ path: String) async {
        await #expect(processExitsWith: .success) { [path] in
            let keys = try KeyFile.load(path)
            try Data(keys[0].fingerprint).write(to: URL(filePath: "\(path).\(getpid())"))
        }
    }
}
