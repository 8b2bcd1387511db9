import Foundation
import Kernel
import Testing

@testable import Prove

@Suite("Processes of a trial")
struct ProcessTests {
    @Test("a process is found by a word of its arguments, and its end is seen")
    func found() throws {
        let folder = try WorkFolder()
        let word = folder.file("word")
        // The shell stops itself: a child of it would have its arguments too, until it executes something else.
        let program = try Program("/bin/sh", ["-c", "kill -STOP $$; true", word], output: folder.file("log"))
        let deadline = Instant.now() + .seconds(60)
        // Before it executes the shell, the child has the arguments of this process.
        while ProcessTable.processes(with: word) != [program.pid], Instant.now() < deadline {}
        #expect(ProcessTable.processes(with: word) == [program.pid])
        #expect(program.ended == nil)
        #expect(!program.wait(milliseconds: 20))

        program.signal(SIGKILL)
        #expect(program.wait(milliseconds: 20_000))
        #expect(program.ended == .signal(SIGKILL))
        #expect(ProcessTable.processes(with: word).isEmpty)
    }

    @Test("exit codes and output are kept", arguments: [0, 3, 127] as [CInt])
    func exits(_ code: CInt) throws {
        let folder = try WorkFolder()
        let program = try Program(
            "/bin/sh", ["-c", "echo $GREETING; exit \(code)"], environment: ["GREETING": "ahoy"],
            output: folder.file("log"))
        #expect(program.wait(milliseconds: 20_000))
        #expect(program.ended == .code(code))
        #expect(folder.text("log") == "ahoy\n")
    }

    @Test("a port is open while something listens on it, and free ports differ")
    func ports() throws {
        let ports = try Ports.free(8)
        #expect(Set(ports).count == 8)
        #expect(!Ports.isOpen(ports[0]))
        var world = try Linux()
        let listener = try Socket.listen(on: .loopback(port: ports[0]), shared: false)
        #expect(Ports.isOpen(ports[0]))
        world.close(listener, reset: false)
        #expect(!Ports.isOpen(ports[0]))
    }

    @Test("the folder is gone with its owner, and others cannot enter it")
    func folder() throws {
        var path = ""
        do {
            let folder = try WorkFolder()
            path = folder.path
            try folder.write("a", "text")
            #expect(folder.text("a") == "text")
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            #expect(attributes[.posixPermissions] as? Int == 0o700)
        }
        #expect(!FileManager.default.fileExists(atPath: path))
    }
}
