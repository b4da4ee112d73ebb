# GPIO lines of a USB adapter that a program plays: hid-cp2112 makes a real gpiochip of it.
modprobe uhid && modprobe hid-cp2112
mkfifo $STATE/gpio-in
./gpio-adapter <$STATE/gpio-in >$STATE/gpio-out 2>$STATE/gpio-error &
exec 9>$STATE/gpio-in
chip() { gpiodetect | grep cp2112; }
check "gpio: the kernel makes a gpiochip" until_true 20 chip
found() { gpiodetect | grep cp2112; ls -l /dev/gpiochip* | cut -c 1-60; [ "$(stat -c %G /dev/gpiochip0)" = gpio ]; }
check "gpio: it belongs to the group gpio" until_true 10 found
wiggled() {
	echo "1 3" >&9
	sleep 1
	echo "line 3 is $(gpioget cp2112_gpio 3) when driven high"
	[ "$(gpioget cp2112_gpio 3)" = 1 ] && gpioset cp2112_gpio 5=1 && grep -q '^5 1' $STATE/gpio-out
}
check "gpio: lines go in and out" wiggled
