import ArgumentParser
import Configuration
import FoundationEssentials
import Glibc
import Kernel
import LoadReport

/// `berth top`
struct TopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Watch the servers and tools of a running Berth.",
        discussion: """
            On a terminal the view is redrawn: q quits, s sorts by another column, p pauses, the arrow keys scroll. Anywhere
            else, or with --count, each look is printed below the one before. Needs admin in [global].
            """)

    @Option(help: "From one look to the next, such as 1s or 500ms.")
    var interval = "1s"

    @Option(help: "End after so many looks, without taking the screen.")
    var count: Int?

    @OptionGroup var berth: RunningBerth

    func validate() throws {
        guard let time = DurationText.parse(interval), time >= .milliseconds(100), time <= .seconds(3_600) else {
            throw ValidationError("--interval \(interval) is no duration from 100ms to 1h")
        }
        if let count, count < 1 { throw ValidationError("--count is 1 at least") }
    }

    func run() throws {
        let pause = Interval(DurationText.parse(interval) ?? .seconds(1))
        let signals = try Signals([SIGTERM, SIGINT, SIGHUP])
        try berth.withClient { client in
            // What cannot be reached at all is said before the screen is taken.
            var history = TopHistory()
            history.append(try Self.sample(client))
            if count == nil, let screen = KeyboardScreen() {
                defer { screen.restore() }
                TopLoop(client: client, screen: screen, pause: pause, history: history).run(signals)
            } else {
                try printLooks(client, history, pause, signals)
            }
        }
    }

    /// Prints one look after the other. The first has no rates, so the look is taken again after the first pause.
    private func printLooks(
        _ client: AdminClient, _ first: TopHistory, _ pause: Interval, _ signals: borrowing Signals
    ) throws {
        let style = TerminalStyle.forOutput(descriptor: 1, environment: ProcessInfo.processInfo.environment)
        var history = first
        var looks = 0
        while count.map({ looks < $0 }) ?? true {
            guard signals.wait(milliseconds: CInt(clamping: pause.nanoseconds / 1_000_000)) == nil else { return }
            history.append(try Self.sample(client))
            try StandardStream.output.write(TopView.block(history, style: style))
            looks += 1
        }
    }

    static func sample(_ client: AdminClient) throws -> TopSample {
        let response = try client.ask("GET", "/stats")
        let seconds = Double(Instant.now().nanoseconds) / 1e9
        guard response.status == 200, let sample = TopSample(response.body, at: seconds) else {
            throw AdminClient.Failure(description: "what answers is not Berth, or another version of it")
        }
        return sample
    }
}

/// The live view: it looks, draws, and does what keys say.
struct TopLoop {
    let client: AdminClient
    let screen: KeyboardScreen
    let pause: Interval
    private var history: TopHistory
    private var setting = TopView.Setting()

    init(client: AdminClient, screen: KeyboardScreen, pause: Interval, history: TopHistory) {
        self.client = client
        self.screen = screen
        self.pause = pause
        self.history = history
    }

    /// Runs until somebody has had enough.
    func run(_ signals: borrowing Signals) {
        var view = self
        var next = Instant.now() + pause
        var size = (rows: 0, columns: 0)
        while true {
            let now = Instant.now()
            var isStale = now >= next
            if isStale {
                next = now + pause
                if !view.setting.isPaused { view.look() }
            }
            let keys = screen.keys()
            for key in keys { if view.handle(key) == .quit { return } }
            let present = screen.size
            isStale = isStale || !keys.isEmpty || present != size
            size = present
            if isStale { view.draw(size) }
            if signals.wait(milliseconds: 50) != nil { return }
        }
    }

    private enum KeyResult { case continues, quit }

    private mutating func handle(_ key: KeyboardScreen.Key) -> KeyResult {
        switch key {
        case .interrupt, .character("q"), .character("Q"): return .quit
        case .character("s"):
            setting.order = setting.order.next
            setting.offset = 0
        case .character("p"), .character(" "): setting.isPaused.toggle()
        case .down, .character("j"): setting.offset = min(setting.offset + 1, max(0, history.servers.count - 1))
        case .up, .character("k"): setting.offset = max(0, setting.offset - 1)
        case .character: break
        }
        return .continues
    }

    /// Takes a sample; where there is none, the last one stays.
    private mutating func look() {
        do {
            history.append(try TopCommand.sample(client))
            setting.problem = nil
        } catch let error as AdminClient.Failure {
            setting.problem = error.description
        } catch {
            setting.problem = "\(error)"
        }
    }

    private func draw(_ size: (rows: Int, columns: Int)) {
        let style = TerminalStyle(terminalWidth: size.columns, environment: ProcessInfo.processInfo.environment)
        screen.show(TopView.lines(history, setting, rows: size.rows, style: style))
    }
}
