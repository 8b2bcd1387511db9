import Kernel

/// What this process was given when it was started: listening sockets, and the channel to the process whose place it
/// takes, if it takes one's.
package struct Inheritance: Sendable {
    /// Listening sockets; those that no listener claims are closed.
    package var sockets: InheritedSockets
    /// Nil if this process was not started by an upgrade.
    package var predecessor: Predecessor?

    /// Nothing.
    package static var none: Inheritance { Inheritance(sockets: InheritedSockets()) }

    package init(sockets: InheritedSockets, predecessor: Predecessor? = nil) {
        self.sockets = sockets
        self.predecessor = predecessor
    }

    /// Takes what the environment names, and the variables out of it. Call it once, before the first thread starts. Throws
    /// if the descriptors are not what the variables say.
    package static func fromEnvironment() throws(StartError) -> Inheritance {
        let variable = ThisProcess.takeVariable(HandoverVariable.name)
        let activation = ActivationVariables(
            pid: ThisProcess.takeVariable("LISTEN_PID"), count: ThisProcess.takeVariable("LISTEN_FDS"),
            names: ThisProcess.takeVariable("LISTEN_FDNAMES"), process: ThisProcess.id)
        if let variable { return try Inheritance(variable: variable) }
        guard let activation else { return .none }
        for (name, descriptor) in activation.sockets where !Socket.isListener(descriptor) {
            let named = name.isEmpty ? "" : ", \(name),"
            throw StartError("descriptor \(descriptor.raw)\(named) of the socket unit is no TCP socket that listens")
        }
        for (_, descriptor) in activation.sockets { Socket.makeOurs(descriptor) }
        return Inheritance(sockets: InheritedSockets(bound: activation.sockets.map(\.descriptor)))
    }

    private init(variable: String) throws(StartError) {
        guard let handover = HandoverVariable(variable) else {
            throw StartError("the variable \(HandoverVariable.name) is not one that this version understands")
        }
        for descriptor in handover.addresses.flatMap(\.descriptors) {
            guard Socket.isListener(descriptor) || Socket.isUnixListener(descriptor) else {
                throw StartError("descriptor \(descriptor.raw) was handed over as a listening socket and is none")
            }
            Socket.makeOurs(descriptor)
        }
        do throws(SystemError) {
            predecessor = Predecessor(try LineChannel.inherited(handover.channel))
        } catch {
            throw StartError("descriptor \(handover.channel.raw) is no channel to the process before: \(error)")
        }
        sockets = InheritedSockets(handover.addresses)
    }
}
