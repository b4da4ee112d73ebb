// A CP2112 USB adapter as the kernel sees one, over /dev/uhid: hid-cp2112 makes of it a gpiochip with eight lines, edges included.
// Commands on standard input, a line each: "1 3" drives line 3 high from outside, "0 3" low. Changes of output lines are told on standard output as "LINE VALUE".
#include <fcntl.h>
#include <linux/uhid.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { Config = 2, Get = 3, Set = 4, Version = 5, SmbusConfig = 6 };

static unsigned char outputs, directions, inputs, smbus[14] = { SmbusConfig, 0, 1, 0x86, 0xA0, 2, 0, 0, 100, 0, 100, 0, 0, 2 };

// Vendor-defined; the feature reports that the driver asks for.
static const unsigned char descriptor[] = {
    0x06, 0x00, 0xFF, 0x09, 0x01, 0xA1, 0x01, 0x15, 0x00, 0x26, 0xFF, 0x00, 0x75, 0x08,
    0x85, Config, 0x95, 4, 0x09, 0x02, 0xB1, 0x02, 0x85, Get, 0x95, 1, 0x09, 0x03, 0xB1, 0x02, 0x85, Set, 0x95, 2, 0x09, 0x04, 0xB1, 0x02,
    0x85, Version, 0x95, 2, 0x09, 0x05, 0xB1, 0x02, 0x85, SmbusConfig, 0x95, 13, 0x09, 0x06, 0xB1, 0x02,
    0x85, 0x13, 0x95, 63, 0x09, 0x07, 0x81, 0x02, 0x85, 0x14, 0x95, 63, 0x09, 0x08, 0x91, 0x02, 0xC0,
};

static int answer(unsigned char *data, unsigned char report) {
    data[0] = report;
    switch (report) {
    case Config: data[1] = directions; data[2] = 0xFF; data[3] = data[4] = 0; return 5;
    case Get: data[1] = (outputs & directions) | (inputs & ~directions); return 2;
    case Version: data[1] = 0x0C; data[2] = 2; return 3;
    case SmbusConfig: memcpy(data, smbus, sizeof smbus); return sizeof smbus;
    default: return -1;
    }
}

static void take(const unsigned char *data, int size) {
    unsigned char before = outputs & directions;
    if (data[0] == Config && size >= 2) directions = data[1];
    else if (data[0] == Set && size >= 3) outputs = (outputs & ~data[2]) | (data[1] & data[2]);
    else if (data[0] == SmbusConfig && size == sizeof smbus) memcpy(smbus, data, sizeof smbus);
    unsigned char changed = (outputs & directions) ^ before;
    for (int line = 0; line < 8; line++)
        if (changed >> line & 1) printf("%d %d\n", line, (outputs & directions) >> line & 1);
    fflush(stdout);
}

int main(void) {
    int device = open("/dev/uhid", O_RDWR | O_CLOEXEC);
    if (device < 0) { perror("/dev/uhid"); return 1; }
    struct uhid_event event = { .type = UHID_CREATE2 };
    strcpy((char *)event.u.create2.name, "CP2112 of the appliance test");
    event.u.create2.bus = 3; // USB
    event.u.create2.vendor = 0x10C4;
    event.u.create2.product = 0xEA90;
    event.u.create2.rd_size = sizeof descriptor;
    memcpy(event.u.create2.rd_data, descriptor, sizeof descriptor);
    if (write(device, &event, sizeof event) < 0) { perror("create"); return 1; }
    struct pollfd polled[] = { { device, POLLIN, 0 }, { 0, POLLIN, 0 } };
    while (poll(polled, 2, -1) > 0) {
        if (polled[1].revents) {
            char line[64];
            int value, number, length = read(0, line, sizeof line - 1);
            if (length <= 0) break;
            line[length] = 0;
            if (sscanf(line, "%d %d", &value, &number) == 2) inputs = value ? inputs | 1 << number : inputs & ~(1 << number);
        }
        if (!(polled[0].revents & POLLIN) || read(device, &event, sizeof event) < 0) continue;
        struct uhid_event reply = { 0 };
        if (event.type == UHID_GET_REPORT) {
            int size = answer(reply.u.get_report_reply.data, event.u.get_report.rnum);
            reply.type = UHID_GET_REPORT_REPLY;
            reply.u.get_report_reply.id = event.u.get_report.id;
            reply.u.get_report_reply.err = size < 0 ? 5 : 0;
            reply.u.get_report_reply.size = size < 0 ? 0 : size;
        } else if (event.type == UHID_SET_REPORT) {
            take(event.u.set_report.data, event.u.set_report.size);
            reply.type = UHID_SET_REPORT_REPLY;
            reply.u.set_report_reply.id = event.u.set_report.id;
        } else continue;
        if (write(device, &reply, sizeof reply) < 0) perror("reply");
    }
    return 0;
}
