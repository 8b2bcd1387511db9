package import Kernel

/// What an upgrade needs of the machine; tests have each of it fail.
package struct UpgradeSystem: Sendable {
    /// The program that the new process runs, its arguments with the program's name first, and its environment.
    package struct Command: Sendable {
        /// A file if there is a slash in it; otherwise it is searched for in PATH.
        package var path: String
        /// The first one is the program's name.
        package var arguments: [String]
        /// Each as "NAME=value".
        package var environment: [String]

        package init(path: String, arguments: [String], environment: [String]) {
            self.path = path
            self.arguments = arguments
            self.environment = environment
        }

        /// How this process was started. Its program is looked for again, so that a file that was replaced is the new one.
        package static func ofThisProcess(_ arguments: [String]) -> Command {
            Command(path: arguments.first ?? "", arguments: arguments, environment: ThisProcess.environment)
        }
    }

    /// Makes the two ends of a channel.
    package var makeChannel: @Sendable () throws(SystemError) -> (LineChannel, LineChannel)
    /// Starts a detached thread.
    package var startThread:
        @Sendable (_ name: String, _ run: @escaping @Sendable () -> Void) throws(SystemError) -> Void
    /// Starts a process that inherits these descriptors.
    package var startProcess: @Sendable (Command, _ keeping: [Descriptor]) throws(SystemError) -> ChildProcess
    /// Sends a text whole; false if that fails.
    package var send: @Sendable (LineChannel, String, _ deadline: Instant) -> Bool

    /// The real machine.
    package static var linux: UpgradeSystem {
        UpgradeSystem(
            makeChannel: { () throws(SystemError) in try LineChannel.pair() },
            startThread: { name, run throws(SystemError) in try Thread(named: name, run).detach() },
            startProcess: { command, descriptors throws(SystemError) in
                try ChildProcess.start(
                    command.path, arguments: command.arguments, environment: command.environment, keeping: descriptors)
            },
            send: { channel, text, deadline in channel.send(text, until: deadline) })
    }
}

/// What an upgrade takes from the process that is to be replaced, and does to it.
package protocol UpgradeSource: AnyObject, Sendable {
    /// The listeners' sockets; none of them closes before the upgrade is over.
    var listeningSockets: [InheritedSockets.Address] { get }
    /// What the new process needs before it accepts, as lines with their ends.
    func stateLines() -> String
    /// What has changed since the last call, as lines with their ends; empty: nothing. Only one thread calls it.
    func changeLines() -> String
    /// Rung when `changeLines` should be asked for without delay.
    var changes: Wake { get }
    /// A line that the new process has said about what it learned.
    func receive(line: String)
    /// The listeners may change again.
    func upgradeFailed()
    /// The new process accepts at all sockets but these.
    func leaveListeners(except unused: [Descriptor])
}
