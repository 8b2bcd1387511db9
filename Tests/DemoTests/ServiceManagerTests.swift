import Kernel
import Testing

@testable import berth

@Suite("Service manager")
struct ServiceManagerTests {
    @Test("messages are those of sd_notify(3)")
    func texts() {
        typealias Message = ServiceManager.Message
        #expect(Message.ready(status: "Serving").text == "READY=1\nSTATUS=Serving")
        #expect(
            Message.reloading(at: Instant(nanoseconds: 5_000_999), status: "x").text
                == "RELOADING=1\nMONOTONIC_USEC=5000\nSTATUS=x")
        #expect(Message.stopping(status: "x").text == "STOPPING=1\nSTATUS=x")
        #expect(Message.replaced(by: 12, status: "x").text == "MAINPID=12\nREADY=1\nSTATUS=x")
    }

    @Test("only paths and abstract names are listened at", arguments: [nil, "", "vsock:2:1234", "relative/path"])
    func nobody(_ path: String?) {
        let service = ServiceManager(path: path)
        #expect(service.path == nil)
        service.say(.ready(status: "Serving"))
    }

    @Test("a manager that is not there is no error", arguments: ["/nonexistent/socket", "@nobody-listens-here"])
    func absent(_ path: String) { ServiceManager(path: path).say(.ready(status: "Serving")) }
}
