import Foundation
import Kernel
import Testing

/// Files that are read as a whole, below a folder that nothing may lead out of.
@Suite("Small files")
struct SmallFileTests {
    private final class Folder {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("berth-small-\(UUID())").path

        init() throws {
            try FileManager.default.createDirectory(atPath: path + "/a/b", withIntermediateDirectories: true)
        }

        func write(_ name: String, _ count: Int) throws {
            try Data(repeating: 7, count: count).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
        }

        func link(_ name: String, _ place: String) throws {
            try FileManager.default.createSymbolicLink(atPath: "\(path)/\(name)", withDestinationPath: place)
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    @Test("a file has its bytes, up to the limit")
    func limits() throws {
        let folder = try Folder()
        for count in [0, 1, 99, 100] {
            try folder.write("file", count)
            #expect(try SmallFile.read("file", in: folder.path, limit: 100).count == count)
        }
        try folder.write("file", 101)
        #expect(throws: SystemError("read", code: EFBIG)) { try SmallFile.read("file", in: folder.path, limit: 100) }
    }

    @Test("folders below are entered, and no link is followed")
    func links() throws {
        let folder = try Folder()
        try folder.write("a/b/file", 3)
        try folder.write("outside", 3)
        #expect(try SmallFile.read("file", in: folder.path, below: ["a", "b"], limit: 9).count == 3)
        try folder.link("a/b/link", "file")
        try folder.link("a/out", "..")
        try folder.link("root", folder.path)
        #expect(throws: (any Error).self) { try SmallFile.read("link", in: folder.path, below: ["a", "b"], limit: 9) }
        #expect(throws: (any Error).self) {
            try SmallFile.read("outside", in: folder.path, below: ["a", "out"], limit: 9)
        }
        #expect(throws: (any Error).self) { try SmallFile.read("file", in: folder.path, below: ["root"], limit: 9) }
        // The folder itself is the operator's choice.
        #expect(try SmallFile.read("outside", in: folder.path + "/root", limit: 9).count == 3)
    }

    @Test("names that are paths, folders, pipes and devices are none")
    func others() throws {
        let folder = try Folder()
        try folder.write("a/file", 3)
        try #require(mkfifo("\(folder.path)/pipe", 0o600) == 0)
        for name in ["a/file", "a", ".", "..", "", "pipe", "/etc/hostname", "none"] {
            #expect(throws: (any Error).self, "\(name)") { try SmallFile.read(name, in: folder.path, limit: 99) }
        }
        #expect(throws: (any Error).self) { try SmallFile.read("null", in: "/dev", limit: 99) }
        #expect(throws: (any Error).self) { try SmallFile.read("x", in: folder.path + "/none", limit: 99) }
    }
}
