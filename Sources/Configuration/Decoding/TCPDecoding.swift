extension TCPConfiguration {
    init(from reader: consuming TableReader) {
        self.init()
        keepAlive = reader.durationOrOff("keepalive", in: .seconds(1) ... .seconds(32_767), default: keepAlive)
        userTimeout = reader.durationOrOff("user_timeout", in: .seconds(1) ... .seconds(86_400), default: userTimeout)
        reader.finish()
    }
}
