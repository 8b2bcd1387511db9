import Foundation
import Testing

@testable import Kernel

@Suite("Files that commands read and write")
struct ReadableFileTests {
    private final class Folder {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("berth-files-\(UUID())").path

        init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false) }

        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    private let folder: Folder

    init() throws { folder = try Folder() }

    @Test("what follows the present place is read; another file in its place has another number")
    func reading() throws {
        let path = "\(folder.path)/file"
        try SmallFile.replace(path, with: Array("one\ntwo\n".utf8), mode: 0o640)
        let file = try ReadableFile(path)
        let number = ReadableFile.number(of: path)
        #expect(try file.rest(limit: 3) == Array("one".utf8))
        #expect(file.offset == 3 && file.size == 8)
        file.offset = 4
        #expect(try file.rest() == Array("two\n".utf8))

        try SmallFile.replace(path, with: [], mode: 0o600)
        #expect(ReadableFile.number(of: path) != number)
        #expect(try file.rest() == [], "the open file is the one before")
    }

    @Test("a replaced file has its mode and its bytes, and nothing is left beside it")
    func replacing() throws {
        let path = "\(folder.path)/file"
        for (text, mode) in [("a", 0o644), (String(repeating: "b", count: 100_000), 0o600)] as [(String, UInt32)] {
            try SmallFile.replace(path, with: Array(text.utf8), mode: mode)
            var status = stat()
            #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == mode)
            #expect(try SmallFile.read(path, limit: 1 << 20) == Array(text.utf8))
        }
        #expect(access("\(path).\(getpid())", F_OK) != 0)
    }

    @Test("errors say what failed")
    func failures() {
        #expect(throws: SystemError("open", code: ENOENT)) { try ReadableFile("\(folder.path)/none") }
        #expect(throws: SystemError("read", code: EISDIR)) { try ReadableFile(folder.path).rest() }
        #expect(throws: SystemError("open", code: ENOENT)) {
            try SmallFile.replace("\(folder.path)/none/file", with: [], mode: 0o600)
        }
        #expect(throws: SystemError("rename", code: EISDIR)) {
            try SmallFile.replace(folder.path, with: [], mode: 0o600)
        }
        #expect(access("\(folder.path).\(getpid())", F_OK) != 0, "nothing is left")
    }
}
